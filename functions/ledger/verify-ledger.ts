import { ledgerVerified } from '../../eventing/contracts/ledger.verified.ts'
import { operation } from '../host/operation.ts'
import type { Emitting } from '../host/tools.ts'
import { readVerification } from './stops/findings.ts'
import { sayStopped } from './stops/guard.ts'
import { takeStep, type CheckStep } from './stops/sweep-checks.ts'

// Less than the function's `timeoutSeconds`, by more than a step takes. The next ping goes on.
const TIME_MAX_MS = 15_000

/** Checks all entries of all accounts, once a night. A PingSource calls it every five minutes of the night.
 * Each call does as many steps as it has time for. Once the night's check has ended, the others do
 * nothing. */
export default operation({
  name: 'verify-ledger',
  context: 'ledger',
  summary: 'Checks all books from the first entry on, once a night',
  consumes: {
    contracts: 'any',
    async receive(_event, { db, transact, log }, _state, { traceparent }) {
      const [walk] = await db.query<{ is_due: boolean }>({ text: 'select is_verification_due() as is_due' })
      if (!walk!.is_due) return
      const endsAt = performance.now() + TIME_MAX_MS
      let step: CheckStep
      do {
        // The last step and its event are one transaction: no night goes without its event.
        step = await transact(traceparent, verifyStep)
        sayStopped(log, step.stops)
      } while (step.has_ended === false && performance.now() < endsAt)
    },
  },
})

async function verifyStep(tx: Emitting): Promise<CheckStep> {
  const step = await takeStep(tx, 'everything')
  if (!step.has_ended) return step
  const totals = await takeStep(tx, 'totals')
  const counts = await takeStep(tx, 'counts')
  const { ok, chains, sums, open_stops: openStops } = await readVerification(tx)
  const [now] = await tx.query<{ at: Date }>({ text: 'select clock_timestamp() as at' })
  const figures = chains.figures as { started_at: string; accounts: number; entries: number; faults: number }
  const currencies = sums.figures.currencies as { currency: string; accounts: number; sum: string }[]
  tx.emit(ledgerVerified, {
    subject: 'ledger',
    partitionkey: 'all',
    data: {
      ok: ok !== false,
      open_stops: openStops,
      accounts: figures.accounts,
      entries: figures.entries,
      faults: figures.faults,
      currencies: currencies.map(({ currency, accounts, sum }) => ({ currency, accounts, balance_sum: sum })),
      started_at: new Date(figures.started_at).toISOString(),
      timestamp: now!.at.toISOString(),
    },
  })
  return { has_ended: true, stops: [...step.stops, ...totals.stops, ...counts.stops] }
}

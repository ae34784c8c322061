import { ledgerVerified } from '../../eventing/contracts/ledger.verified.ts'
import type { Transaction } from '../host/database/database.ts'
import { operation } from '../host/operation.ts'
import type { Emitting } from '../host/tools.ts'
import { readVerification } from './stops/findings.ts'
import { sayStopped } from './stops/guard.ts'
import { takeStep, type CheckStep, type Step } from './stops/sweep-checks.ts'

// Less than the function's `timeoutSeconds`, by more than a step takes. The next ping goes on.
const TIME_MAX_MS = 15_000

/** Checks all books from their first entries on, once a night: one check after the other, each in steps. A
 * PingSource calls it every five minutes of the night. Each call does as many steps as it has time for, and
 * the next one goes on there. Once all have ended, the others do nothing. */
export default operation({
  name: 'verify-ledger',
  context: 'ledger',
  summary: 'Checks all books from the first entry on, once a night',
  consumes: {
    contracts: 'any',
    async receive(_event, { db, transact, log }, _state, { traceparent }) {
      const endsAt = performance.now() + TIME_MAX_MS
      const failed: Step[] = []
      let failure: unknown
      let walk = await walkDue(db)
      while (walk && performance.now() < endsAt) {
        const due = walk
        try {
          // The last step and its event are one transaction: no night goes without its event.
          const step = await transact(traceparent, (tx) => verifyStep(tx, due))
          sayStopped(log, step.stops)
          // Another process is at it.
          if (step.has_ended === null) break
          if (!step.has_ended) continue
        } catch (error) {
          // The others must have their turn all the same.
          log.error('a check of the books has failed', { check: due, error: (error as Error).message })
          failed.push(due)
          failure = error
        }
        walk = await walkDue(db, failed)
      }
      if (failure) throw failure
    },
  },
})

async function walkDue(tx: Transaction, failed: readonly Step[] = []): Promise<Step | undefined> {
  const [row] = await tx.query<{ name: Step | null }>({
    text: 'select walk_due($1) as name',
    values: [failed],
  })
  return row?.name ?? undefined
}

async function verifyStep(tx: Emitting, walk: Step): Promise<CheckStep> {
  const step = await takeStep(tx, walk)
  if (!step.has_ended || !(await isLast(tx, walk))) return step
  const totals = await takeStep(tx, 'totals')
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
  return { has_ended: true, stops: [...step.stops, ...totals.stops] }
}

/** Says whether this was the last check of the night. If the number of all entries is wrong, the search for
 * the wrong transaction is. */
const isLast = async (tx: Transaction, walk: Step): Promise<boolean> =>
  walk === 'all_transactions' || (walk === 'counts' && (await walkDue(tx)) !== 'all_transactions')

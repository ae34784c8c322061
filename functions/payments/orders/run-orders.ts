import type { Tools } from '../../host/tools.ts'
import { makeRuns } from './make-runs.ts'
import { endClaimsAhead, payRuns } from './pay-runs.ts'

// So that a sweep ends by itself before its Service's 30 s, even if the ledger takes 20 s to answer the last
// calls. What is left waits for the next minute.
const TIME_MS_MAX = 8_000

/** How many times ten runs are paid at once: as many calls as a process has connections. */
const LANES = 3

/** Pays what is due of payment orders, in steps that each end in time, however many orders are due. Each lane
 * goes on by itself, so a call that takes long holds up few others. Rejects if one of them fails, but not
 * before all have ended. */
export async function runOrders(
  tools: Tools,
  traceparent: string,
  { lanes = LANES }: { lanes?: number } = {},
): Promise<void> {
  const endsAt = performance.now() + TIME_MS_MAX
  await endClaimsAhead(tools.db)
  let making: Promise<number> | undefined
  // One after the other: lanes that make runs at once would find orders locked, and take that for their end.
  const make = () => (making ??= makeRuns(tools).finally(() => (making = undefined)))

  /** Resolves with the number of runs that the ledger was called for. */
  const pay = async (): Promise<number> => {
    for (let called = 0; ;) {
      const made = await make()
      const paid = await payRuns(tools, traceparent)
      called += paid.called
      if (paid.unknown > 0) tools.log.warn('runs of orders have no outcome yet', { runs: paid.unknown })
      // While the ledger is away, each call would only wait. A few calls without an outcome must not keep
      // others from being paid.
      const isAway = paid.unanswered > 0 && paid.unanswered === paid.called
      if (isAway || made + paid.called === 0 || performance.now() > endsAt) return called
    }
  }
  const results = await Promise.allSettled(Array.from({ length: lanes }, pay))
  const called = results.reduce((sum, each) => sum + (each.status === 'fulfilled' ? each.value : 0), 0)
  if (called > 0) tools.log.info('orders run', { runs: called })
  for (const each of results) if (each.status === 'rejected') throw each.reason
}

import type { Tools } from '../../host/tools.ts'
import { makeRuns } from './make-runs.ts'
import { payRuns } from './pay-runs.ts'

// So that a sweep ends by itself before its Service's 30 s, even if the ledger takes 20 s to answer the last
// calls. What is left waits for the next minute.
const TIME_MS_MAX = 8_000

/** Pays what is due of payment orders, in steps that each end in time, however many orders are due. */
export async function runOrders(tools: Tools, traceparent: string): Promise<void> {
  const endsAt = performance.now() + TIME_MS_MAX
  let called = 0
  for (;;) {
    const made = await makeRuns(tools.db)
    const paid = await payRuns(tools, traceparent)
    called += paid.called
    // While the ledger is away, each call would only wait. A few calls without an outcome must not keep
    // others from being paid.
    const isAway = paid.unknown > 0 && paid.unknown === paid.called
    if (paid.unknown > 0) tools.log.warn('runs of orders have no outcome yet', { runs: paid.unknown })
    if (isAway || made + paid.called === 0 || performance.now() > endsAt) break
  }
  if (called > 0) tools.log.info('orders run', { runs: called })
}

import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Tools } from '../../host/tools.ts'
import { claimPayout, runPayout } from './run-payout.ts'

// See run-orders.ts.
const TIME_MS_MAX = 8_000
// For one payout, so that a long one does not keep the others waiting.
const SLICE_MS = 2_000

/** Takes up payouts that nobody is at: their process died, their event was lost, or the ledger was away. */
export async function takeUpPayouts(tools: Tools, traceparent: string): Promise<void> {
  const endsAt = performance.now() + TIME_MS_MAX
  const failures: unknown[] = []
  while (performance.now() < endsAt) {
    const payout = await claimPayout(tools.db, null)
    if (!payout) break
    tools.log.warn('taking up a payout that was left', { payout_id: payout.id })
    try {
      await runPayout(payout, tools, {
        traceparent,
        endsAt: Math.min(endsAt, performance.now() + SLICE_MS),
      })
    } catch (error) {
      // Perhaps it is only this one that fails. It waits for a minute, and the others have their turn.
      tools.log.warn('a payout has no outcome yet', { payout_id: payout.id })
      if (!(error instanceof UnavailableError)) failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

import { operation } from '../host/operation.ts'
import { claimPayout, runPayout } from './payouts/run-payout.ts'

// See run-payouts.ts.
const TIME_MS_MAX = 8_000

/** Takes up payouts that nobody is at: their process died, their event was lost, or the ledger was away. A
 * PingSource calls it every minute. */
export default operation({
  name: 'sweep-payouts',
  context: 'payments',
  summary: 'Goes on with payouts that were left',
  needs: ['PAYMENTS_CALL_KEY'],
  consumes: {
    contracts: 'any',
    async receive(_event, tools, _state, { traceparent }) {
      const endsAt = performance.now() + TIME_MS_MAX
      while (performance.now() < endsAt) {
        const payout = await claimPayout(tools.db, null)
        if (!payout) return
        tools.log.warn('taking up a payout that was left', { payout_id: payout.id })
        await runPayout(payout, tools, { traceparent, endsAt })
      }
    },
  },
})

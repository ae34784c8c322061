import { payoutRequested, type PayoutRequested } from '../../eventing/contracts/payout.requested.ts'
import { operation } from '../host/operation.ts'
import { claimPayout, runPayout } from './payouts/run-payout.ts'

// So that this function ends by itself before the Service's 30 s, even if the ledger takes 20 s to answer the
// last calls. A sweep does the rest.
const TIME_MS_MAX = 8_000

/** Pays the items of a payout that was asked for. If the event comes again, or is lost, nothing changes: the
 * database knows which items have an outcome, and sweep-payments takes up what is left. */
export default operation({
  name: 'run-payouts',
  context: 'payments',
  summary: 'Pays the items of payouts that were asked for',
  needs: ['PAYMENTS_CALL_KEY'],
  consumes: {
    contracts: [payoutRequested],
    async receive(event, tools, _state, { traceparent }) {
      const { payout_id: id } = event.data as PayoutRequested
      const payout = await claimPayout(tools.db, id)
      if (!payout) return
      const endsAt = performance.now() + TIME_MS_MAX
      if (!(await runPayout(payout, tools, { traceparent, endsAt })))
        tools.log.info('a payout goes on with the next sweep', { payout_id: id })
    },
  },
})

import { operation } from '../host/operation.ts'
import { expireDue, takeUp } from './payments/taken-up.ts'

/** Ends payments that are due, and takes up those that a dead process left under way. A PingSource calls it
 * every minute. */
export default operation({
  name: 'expire-payments',
  context: 'payments',
  summary: 'Ends payments that nobody executed or cancelled in time, and finishes what was left under way',
  needs: ['PAYMENTS_CALL_KEY'],
  consumes: {
    contracts: 'any',
    async receive(_event, tools, _state, { traceparent }) {
      await expireDue(tools, traceparent)
      await takeUp(tools, traceparent)
      await tools.outbox.sweep()
    },
  },
})

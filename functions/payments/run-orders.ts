import { operation } from '../host/operation.ts'
import { makeRuns } from './orders/make-runs.ts'
import { payRuns } from './orders/pay-runs.ts'

// So that this function ends by itself before the Service's 30 s, even if the ledger takes 20 s to answer the
// last calls. What is left waits for the next minute.
const TIME_MS_MAX = 8_000

/** Pays what is due of payment orders. A PingSource calls it every minute. It goes in steps that each end in
 * time, however many orders are due. */
export default operation({
  name: 'run-orders',
  context: 'payments',
  summary: 'Pays the payment orders that are due',
  needs: ['PAYMENTS_CALL_KEY'],
  consumes: {
    contracts: 'any',
    async receive(_event, tools, _state, { traceparent }) {
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
    },
  },
})

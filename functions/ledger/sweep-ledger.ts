import { sweepOutbox } from '../host/database/sweep.ts'
import { operation } from '../host/operation.ts'
import { postOverdueOrders } from './posting/overdue-orders.ts'

/** Posts orders that are overdue, and publishes what a crash kept from being published; a PingSource calls
 * it. */
export default operation({
  name: 'sweep-ledger',
  context: 'ledger',
  summary:
    'Posts orders that are overdue, and publishes events that were left in the outbox of the ledger context',
  consumes: {
    contracts: 'any',
    async receive(event, tools, ...rest) {
      // First, for it does not need the Broker.
      const settled = await postOverdueOrders(tools)
      if (settled > 0) tools.log.warn('posted orders that were overdue', { orders: settled })
      await sweepOutbox.receive(event, tools, ...rest)
    },
  },
})

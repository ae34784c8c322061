import { sweepOutbox } from '../host/database/sweep.ts'
import { operation } from '../host/operation.ts'
import { postOverdueOrders } from './posting/overdue-orders.ts'

/** Posts overdue orders, and publishes events that a crash left in the outbox. A PingSource calls it. */
export default operation({
  name: 'sweep-ledger',
  context: 'ledger',
  summary: 'Posts overdue orders, and publishes events of the ledger context that were left in its outbox',
  consumes: {
    contracts: 'any',
    async receive(event, tools, ...rest) {
      // First, because it does not need the Broker.
      const settled = await postOverdueOrders(tools)
      if (settled > 0) tools.log.warn('posted orders that were overdue', { orders: settled })
      await sweepOutbox.receive(event, tools, ...rest)
    },
  },
})

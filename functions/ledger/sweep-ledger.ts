import { sweepOutbox } from '../host/database/sweep.ts'
import { operation } from '../host/operation.ts'
import { postOverdueOrders } from './posting/overdue-orders.ts'
import { sweepChecks } from './stops/sweep-checks.ts'
import { indexTransactions } from './transactions/search-index.ts'

/** Posts overdue orders, checks what has changed in the books, publishes events that a crash left in the
 * outbox, and keeps the search index up to date. A PingSource calls it. */
export default operation({
  name: 'sweep-ledger',
  context: 'ledger',
  summary:
    'Posts overdue orders, checks the books, publishes events that were left in the outbox, indexes texts',
  consumes: {
    contracts: 'any',
    async receive(event, tools, ...rest) {
      // First, because it does not need the Broker.
      const settled = await postOverdueOrders(tools)
      if (settled > 0) tools.log.warn('posted orders that were overdue', { orders: settled })
      // Before the outbox is swept: what it finds is published then. If it fails, the outbox is swept all the
      // same.
      const failed = await sweepChecks(tools).catch((error: Error) => error)
      // Even if the Broker takes no events.
      try {
        await sweepOutbox.receive(event, tools, ...rest)
      } finally {
        await indexTransactions(tools.db)
      }
      if (failed) throw failed
    },
  },
})

import { tidyOutbox } from '../host/database/sweep.ts'
import { operation } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'
import { expireHolds } from './holds/expire-holds.ts'
import { postOverdueOrders } from './posting/overdue-orders.ts'
import { sweepChecks } from './stops/sweep-checks.ts'
import { runInTurn, type SweepJob } from './stops/turns.ts'
import { indexTransactions } from './transactions/search-index.ts'

// Less than the Service's 30 s by more than the longest share and its overtime.
const TIME_MAX_MS = 18_000

/** The jobs in the order in which they are best done: what the checks find is published by the sweep of the
 * outbox. Together, their shares are no more than the time of a sweep. */
const jobs = (tools: Tools): SweepJob[] => [
  {
    name: 'orders',
    timeMs: 4_000,
    async run(timeMs) {
      const settled = await postOverdueOrders(tools, timeMs)
      if (settled > 0) tools.log.warn('posted orders that were overdue', { orders: settled })
    },
  },
  { name: 'holds', timeMs: 3_000, run: (timeMs) => expireHolds(tools, timeMs) },
  { name: 'checks', timeMs: 5_000, run: (timeMs) => sweepChecks(tools, timeMs) },
  { name: 'outbox', timeMs: 4_000, run: (timeMs) => tidyOutbox(tools, timeMs) },
  {
    name: 'index',
    timeMs: 2_000,
    async run(timeMs) {
      await indexTransactions(tools.db, timeMs)
    },
  },
]

/** Posts overdue orders, ends holds that are due, checks what has changed in the books, publishes events that
 * a crash left in the outbox, and keeps the search index up to date. A PingSource calls it. Each of the five
 * has a share of the time, and begins in turn. */
export default operation({
  name: 'sweep-ledger',
  context: 'ledger',
  summary:
    'Posts overdue orders, ends due holds, checks the books, publishes events that were left in the outbox, indexes texts',
  consumes: {
    contracts: 'any',
    receive: (_event, tools) => runInTurn(tools, jobs(tools), TIME_MAX_MS),
  },
})

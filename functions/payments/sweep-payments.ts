import { tidyOutbox } from '../host/database/sweep.ts'
import { operation } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'
import { runOrders } from './orders/run-orders.ts'
import { forgetCustomers } from './customers/forget-customers.ts'
import { expireDue, takeUp } from './payments/taken-up.ts'
import { takeUpPayouts } from './payouts/take-up-payouts.ts'
import { wakeTransfers } from './providers/wake.ts'
import { sweepHooks } from './web-hooks/sweep-hooks.ts'

type DueJob = (tools: Tools, traceparent: string) => Promise<void>

const OUTBOX_MS_MAX = 15_000

/** What may be due in this context. Each job looks in its own tables, and ends in time by itself. */
const jobs: Readonly<Record<string, DueJob>> = {
  'due orders': runOrders,
  'due payments': expireDue,
  'payments under way': takeUp,
  'payouts left': takeUpPayouts,
  'transfers with providers': wakeTransfers,
  'web hooks': sweepHooks,
  'watches for web hooks': async (tools, traceparent) => {
    // After the port is open.
    const { sweepWatches } = await import('./web-hooks/sweep-watches.ts')
    await sweepWatches(tools, traceparent)
  },
  'customers who left': forgetCustomers,
  // Within the 30 s of the Service, however much is left.
  outbox: (tools) => tidyOutbox(tools, OUTBOX_MS_MAX),
}

/** Does all that is due in this context. A PingSource calls it every minute: one process for all jobs,
 * because in most minutes nothing is due. What it does not get done, because it dies or for lack of time, the
 * next one finds. The jobs run at once, and none is kept from its work by another that fails or takes
 * long. */
export default operation({
  name: 'sweep-payments',
  context: 'payments',
  summary:
    'Runs orders that are due, expires payments, goes on with what was left, asks providers, has web hooks tried again, publishes events left in the outbox',
  needs: ['PAYMENTS_CALL_KEY'],
  consumes: {
    contracts: 'any',
    async receive(_event, tools, _state, { traceparent }) {
      const results = await Promise.allSettled(Object.values(jobs).map((job) => job(tools, traceparent)))
      const failed = Object.keys(jobs).flatMap((name, i) => {
        const result = results[i]!
        return result.status === 'rejected' ? [{ name, error: result.reason as Error }] : []
      })
      if (failed.length === 0) return
      for (const { name, error } of failed)
        tools.log.error('a job of the sweep failed', { job: name, error: error.message })
      throw failed[0]!.error
    },
  },
})

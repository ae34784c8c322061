import { orderFailed } from '../../../eventing/contracts/order.failed.ts'
import { orderRan } from '../../../eventing/contracts/order.ran.ts'
import type { Emitting, Tools } from '../../host/tools.ts'
import { formatAmount } from '../../host/values/money.ts'
import { OUTCOME_UNKNOWN, type TransferOutcome } from '../calls/transfer-for.ts'
import { findOrder, type OrderRow } from './order.ts'
import type { ClaimedRun } from './run.ts'
import { skipRuns } from './skip-runs.ts'

/** Refusals that may be over soon. After one of these a run is tried again. */
const TEMPORARY = new Set([
  'insufficient-funds',
  'account-frozen',
  'transaction-limit-exceeded',
  'day-limit-exceeded',
  'month-limit-exceeded',
  'limit-exceeded',
])

/** If a run still fails of one of these after its last attempt, the order goes on all the same. */
const PASSING = new Set([...TEMPORARY, OUTCOME_UNKNOWN].filter((problem) => problem !== 'account-frozen'))

/** Hours before the second attempt, the third, and so on: within four days. */
const RETRY_HOURS = [6, 24, 48]

/** Stores the outcome of a run's call with its event, and what follows from it for the order: its end, its
 * stop, or another attempt. If the run has an outcome, nothing happens. Without a known outcome, the call is
 * repeated with its key a minute after the run was taken. */
export async function settleRun(
  run: ClaimedRun,
  outcome: TransferOutcome,
  { transact }: Pick<Tools, 'transact'>,
  traceparent: string,
): Promise<void> {
  if (outcome.outcome === 'unknown') return
  await transact(traceparent, async (tx) => {
    // First, as in all that changes an order and its runs, so that nothing can deadlock.
    const order = (await findOrder(tx, run.order_id, null, { lock: true }))!
    if (outcome.outcome === 'paid') return paid(tx, order, run, outcome.transactionId)
    const hours = TEMPORARY.has(outcome.problem) ? RETRY_HOURS[run.attempt - 1] : undefined
    if (hours === undefined || order.status !== 'active') return failed(tx, order, run, outcome.problem)
    await retryLater(tx, run, outcome.problem, hours)
  })
}

async function paid(tx: Emitting, order: OrderRow, run: ClaimedRun, transactionId: string): Promise<void> {
  const endedAt = await end(tx, run, { status: 'paid', transactionId })
  if (!endedAt) return
  tx.emit(orderRan, {
    ...about(run),
    data: { ...dataOf(run), transaction_id: transactionId, timestamp: endedAt.toISOString() },
  })
  await completeOrder(tx, order)
}

async function failed(tx: Emitting, order: OrderRow, run: ClaimedRun, problem: string): Promise<void> {
  const endedAt = await end(tx, run, { status: 'failed', problem })
  if (!endedAt) return
  const isStopped = order.status === 'active' && !PASSING.has(problem) && order.next_due_at !== null
  if (isStopped) await stopOrder(tx, order, problem)
  tx.emit(orderFailed, {
    ...about(run),
    data: {
      ...dataOf(run),
      ...{ problem, attempts: run.attempt, is_stopped: isStopped },
      timestamp: endedAt.toISOString(),
    },
  })
  await completeOrder(tx, order)
}

async function retryLater(tx: Emitting, run: ClaimedRun, problem: string, hours: number): Promise<void> {
  await tx.query({
    name: 'order-run-retry',
    text: `update payment_order_runs
      set attempt = attempt + 1, called_at = null, problem = $3, next_attempt_at = now() + make_interval(hours => $4)
      where id = $1 and attempt = $2 and status = 'pending'`,
    values: [run.id, run.attempt, problem, hours],
  })
}

interface RunEnd {
  status: 'paid' | 'failed'
  transactionId?: string
  problem?: string
}

/** Returns when the run ended; undefined if it has ended before, or this attempt is over. */
async function end(
  tx: Emitting,
  run: ClaimedRun,
  { status, transactionId, problem }: RunEnd,
): Promise<Date | undefined> {
  const [row] = await tx.query<{ ended_at: Date }>({
    name: 'order-run-end',
    text: `update payment_order_runs
      set status = $3, transaction_id = $4, problem = coalesce($5, problem), ended_at = now()
      where id = $1 and attempt = $2 and status = 'pending' returning ended_at`,
    values: [run.id, run.attempt, status, transactionId, problem],
  })
  return row?.ended_at
}

async function stopOrder(tx: Emitting, order: OrderRow, reason: string): Promise<void> {
  await tx.query({
    name: 'order-stop',
    text: `update payment_orders set status = 'stopped', stop_reason = $2 where id = $1`,
    values: [order.id, reason],
  })
  await skipRuns(tx, order.id)
}

/** Ends an order of which nothing is to come, and no run is open. */
async function completeOrder(tx: Emitting, { id }: OrderRow): Promise<void> {
  await tx.query({
    name: 'order-complete',
    text: `update payment_orders set status = 'completed'
      where id = $1 and status = 'active' and next_due_at is null
        and not exists (select from payment_order_runs where order_id = $1 and status = 'pending')`,
    values: [id],
  })
}

const about = (run: ClaimedRun) => ({ subject: run.order_id, partitionkey: run.account_id })

const dataOf = (run: ClaimedRun) => ({
  order_id: run.order_id,
  run_id: run.id,
  user_id: run.user_id,
  account_id: run.account_id,
  to_account_id: run.to_account_id,
  amount: formatAmount(run.amount, run.currency),
  currency: run.currency,
  description: run.description,
  due_at: run.due_at.toISOString(),
})

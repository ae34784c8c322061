import type { Transaction } from '../../host/database/database.ts'
import { define, problem, type ProblemType } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { Caller } from '../../host/route-request.ts'
import { orNull, uuidSchema } from '../../host/schema.ts'
import { formatAmount } from '../../host/values/money.ts'
import { scheduleColumns, scheduleSchema, showSchedule, toSchedule, type ScheduleRow } from './schedule.ts'

/** A payment order: a transfer to be made at a moment to come, or again and again. */

/** 'stopped' is paused by the bank, with a reason. Nothing follows 'completed' and 'cancelled'. */
export const orderStatuses = ['active', 'paused', 'stopped', 'completed', 'cancelled'] as const

export const missedRunsSchema = { enum: ['each', 'last'] } as const

export const orderSchema = {
  title: 'Order',
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'user_id',
    'account_id',
    'to_account_id',
    'amount',
    'currency',
    'description',
    'payee_name',
    'schedule',
    'missed_runs',
    'status',
    'stop_reason',
    'next_due_at',
    'created_at',
  ],
  properties: {
    id: uuidSchema,
    user_id: uuidSchema,
    account_id: uuidSchema,
    to_account_id: uuidSchema,
    amount: { type: 'string' },
    currency: { type: 'string' },
    description: orNull({ type: 'string' }),
    payee_name: orNull({ type: 'string', description: 'As the customer gave it; nobody has checked it.' }),
    schedule: scheduleSchema,
    missed_runs: missedRunsSchema,
    status: { enum: orderStatuses },
    // Name of the refusal for which the bank has stopped it.
    stop_reason: orNull({ type: 'string' }),
    // Null if nothing is to come, or while it does not run.
    next_due_at: orNull({ type: 'string', format: 'date-time' }),
    created_at: { type: 'string', format: 'date-time' },
  },
} as const

/** A payment order as stored in the database. The amount is in minor units. */
export interface OrderRow extends ScheduleRow {
  id: string
  user_id: string
  account_id: string
  to_account_id: string
  amount: bigint
  currency: string
  description: string | null
  payee_name: string | null
  missed_runs: 'each' | 'last'
  status: (typeof orderStatuses)[number]
  stop_reason: string | null
  next_number: number | null
  next_due_at: Date | null
  created_at: Date
}

export const orderColumns = `id, user_id, account_id, to_account_id, amount, currency, description, payee_name,
  ${scheduleColumns}, missed_runs, status, stop_reason, next_number, next_due_at, created_at`

/** Returns a payment order as the API shows it. */
export const toOrder = (row: OrderRow) => ({
  id: row.id,
  user_id: row.user_id,
  account_id: row.account_id,
  to_account_id: row.to_account_id,
  amount: formatAmount(row.amount, row.currency),
  currency: row.currency,
  description: row.description,
  payee_name: row.payee_name,
  schedule: showSchedule(toSchedule(row)),
  missed_runs: row.missed_runs,
  status: row.status,
  stop_reason: row.stop_reason,
  next_due_at: row.status === 'active' ? (row.next_due_at?.toISOString() ?? null) : null,
  created_at: row.created_at.toISOString(),
})

export const orderProblems = {
  orderNotFound: define('order-not-found', 404, 'There is no such payment order'),
  orderEnded: define('order-ended', 409, 'The payment order has ended'),
} as const satisfies Record<string, ProblemType>

export const orderNotFound = (): Reply =>
  problem(orderProblems.orderNotFound, 'There is no payment order with this id.')

export const orderEnded = ({ status }: OrderRow): Reply =>
  problem(orderProblems.orderEnded, `The payment order is ${status}, and stays so.`)

export const hasEnded = ({ status }: OrderRow): boolean => status === 'completed' || status === 'cancelled'

/** Whose payment orders the caller sees: null for all. */
export const ownerSeen = ({ role, userId }: Pick<Caller, 'role' | 'userId'>): string | null =>
  role === 'operator' ? null : userId

/** Finds a payment order; undefined if there is none, or it is not `ownerId`'s. With `lock`, nobody else
 * changes it or makes runs of it until the transaction ends. */
export async function findOrder(
  tx: Transaction,
  id: string,
  ownerId: string | null,
  { lock = false } = {},
): Promise<OrderRow | undefined> {
  const [row] = await tx.query<OrderRow>({
    name: lock ? 'order-lock' : 'order-find',
    text: `select ${orderColumns} from payment_orders
      where id = $1 and ($2::uuid is null or user_id = $2) ${lock ? 'for update' : ''}`,
    values: [id, ownerId],
  })
  return row
}

import { located } from '../host/answer-of.ts'
import { orderCreated } from '../../eventing/contracts/order.created.ts'
import { earlierReply, once } from '../host/database/idempotency.ts'
import { timeOf } from '../host/database/database.ts'
import { issuedAt } from '../host/issued-since.ts'
import { operation, route } from '../host/operation.ts'
import { define, problem } from '../host/problems.ts'
import type { RouteRequest } from '../host/route-request.ts'
import { personalText, uuidSchema } from '../host/schema.ts'
import type { Emitting } from '../host/tools.ts'
import { amountSchema, currencySchema, readAmount } from '../host/values/money.ts'
import { checkTransfer, finalRefusals } from './calls/check-transfer.ts'
import type { Occurrence } from './orders/calendar.ts'
import { missedRunsSchema, orderColumns, orderSchema, toOrder, type OrderRow } from './orders/order.ts'
import { previewRoute } from './orders/preview.ts'
import {
  readSchedule,
  scheduleSchema,
  showSchedule,
  toScheduleRow,
  type AskedSchedule,
  type Schedule,
} from './orders/schedule.ts'
import { lockOrdersOf, requireCurrentOwner } from './customers/current-owner.ts'

/** Open payment orders of one customer. Each costs work at every run, whoever pays for that. */
const OPEN_ORDERS_MAX = 200

const tooManyOrders = define('too-many-orders', 409, 'The customer has the highest number of orders allowed')

/** The name by which the customer knows the payee, for example from GET /payees. The bank does not look up a
 * name by the id of an account: that would be a way around the quota of GET /payees. */
const payeeNameSchema = { ...personalText, minLength: 1, maxLength: 200 } as const

interface OrderRequest {
  account_id: string
  to_account_id: string
  amount: string | number
  currency: string
  description?: string
  payee_name?: string
  schedule: AskedSchedule
  missed_runs: 'each' | 'last'
}

export default operation({
  name: 'create-order',
  context: 'payments',
  summary: 'Orders a transfer for a moment to come, or for each day, week or month; previews when',
  routes: [
    route({
      method: 'POST',
      path: '/orders',
      who: 'signed-in',
      summary: 'Create a payment order; nothing is paid until it is due',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_id', 'to_account_id', 'amount', 'schedule'],
        properties: {
          account_id: uuidSchema,
          to_account_id: uuidSchema,
          amount: amountSchema,
          currency: currencySchema,
          description: personalText,
          payee_name: payeeNameSchema,
          schedule: scheduleSchema,
          missed_runs: { ...missedRunsSchema, default: 'each' },
        },
      },
      answers: { 201: located(orderSchema) },
      problems: [...Object.values(finalRefusals), tooManyOrders],
      idempotent: true,
      handle: async (request, tools) => {
        const { body, caller, idempotencyKey, traceparent } = request
        // What was due after the first request may be past now.
        const earlier = await earlierReply(tools.db, idempotencyKey)
        if (earlier) return earlier
        const minorUnits = readAmount(body.amount, body.currency, '/amount')
        const { schedule, first } = await readSchedule(body.schedule, await timeOf(tools.db))
        const refused = await checkTransfer(tools, request)
        return tools.transact(traceparent, (tx) =>
          once(tx, 'create-order', idempotencyKey, async () => {
            if (refused) return refused
            const hasRoom = !(await hasTooMany(tx, caller.userId))
            await requireCurrentOwner(tx, caller)
            if (!hasRoom)
              return problem(tooManyOrders, `A customer can have ${OPEN_ORDERS_MAX} open payment orders.`)
            const order = toOrder(await insertOrder(tx, request, minorUnits, schedule, first))
            tx.emit(orderCreated, {
              subject: order.id,
              partitionkey: order.account_id,
              data: {
                order_id: order.id,
                user_id: order.user_id,
                account_id: order.account_id,
                to_account_id: order.to_account_id,
                amount: order.amount,
                currency: order.currency,
                description: order.description,
                schedule: showSchedule(schedule),
                first_due_at: first.dueAt.toISOString(),
                timestamp: order.created_at,
              },
            })
            return { status: 201, headers: { location: `/api/orders/${order.id}` }, body: order }
          }),
        )
      },
    }),
    previewRoute,
  ],
})

/** Requests of one customer wait for each other here, so that together they can't pass the limit. */
async function hasTooMany(tx: Emitting, userId: string): Promise<boolean> {
  await lockOrdersOf(tx, userId)
  const [row] = await tx.query<{ count: number }>({
    name: 'orders-of-user-count',
    text: `select count(*)::integer as count from payment_orders
      where user_id = $1 and status not in ('completed', 'cancelled')`,
    values: [userId],
  })
  return row!.count >= OPEN_ORDERS_MAX
}

async function insertOrder(
  tx: Emitting,
  { body, caller }: Pick<RouteRequest<OrderRequest, unknown, unknown>, 'body' | 'caller'>,
  minorUnits: bigint,
  schedule: Schedule,
  first: Occurrence,
): Promise<OrderRow> {
  const when = toScheduleRow(schedule)
  const [row] = await tx.query<OrderRow>({
    name: 'order-insert',
    text: `insert into payment_orders (user_id, account_id, to_account_id, amount, currency, description, payee_name,
        missed_runs, run_at, every, on_day, at_time, time_zone, from_date, until_date, run_count, next_number,
        next_due_at, token_issued_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
      returning ${orderColumns}`,
    values: [
      ...[caller.userId, body.account_id, body.to_account_id, minorUnits, body.currency],
      ...[body.description, body.payee_name, body.missed_runs],
      ...[when.run_at, when.every, when.on_day, when.at_time, when.time_zone],
      ...[when.from_date, when.until_date, when.run_count, first.number, first.dueAt, issuedAt(caller)],
    ],
  })
  return row!
}

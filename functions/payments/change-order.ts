import { earlierReply, once } from '../host/database/idempotency.ts'
import { timeOf } from '../host/database/database.ts'
import { operation, route } from '../host/operation.ts'
import type { Reply } from '../host/reply.ts'
import { idParams, personalText } from '../host/schema.ts'
import type { Emitting } from '../host/tools.ts'
import { amountSchema, readAmount } from '../host/values/money.ts'
import {
  findOrder,
  hasEnded,
  missedRunsSchema,
  orderColumns,
  orderEnded,
  orderNotFound,
  orderProblems,
  orderSchema,
  ownerSeen,
  toOrder,
  type OrderRow,
} from './orders/order.ts'
import { nextOf, readSchedule, scheduleSchema, toSchedule, toScheduleRow } from './orders/schedule.ts'
import { skipRuns } from './orders/skip-runs.ts'
import { requireCurrentOwner } from './customers/current-owner.ts'

const { orderNotFound: notFound, orderEnded: ended } = orderProblems

export default operation({
  name: 'change-order',
  context: 'payments',
  summary: 'Changes, pauses and resumes a payment order',
  routes: [
    route({
      method: 'PATCH',
      path: '/orders/{id}',
      // Operators too, but only of their own orders: only the owner of money says where it goes.
      who: 'signed-in',
      summary: 'Change what the runs to come pay, and when; runs that are due already stay as they are',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        properties: {
          amount: amountSchema,
          description: personalText,
          schedule: scheduleSchema,
          missed_runs: missedRunsSchema,
        },
      },
      answers: { 200: orderSchema },
      problems: [notFound, ended],
      idempotent: true,
      handle: async ({ params: { id }, body, caller, idempotencyKey, traceparent }, { db, transact }) => {
        // What was due after the first request may be past now.
        const earlier = await earlierReply(db, idempotencyKey)
        if (earlier) return earlier
        const asked = body.schedule && (await readSchedule(body.schedule, await timeOf(db)))
        return transact(traceparent, (tx) =>
          once(tx, 'change-order', idempotencyKey, async () => {
            const order = await findOrder(tx, id, caller.userId, { lock: true })
            if (!order) return orderNotFound()
            if (hasEnded(order)) return orderEnded(order)
            await requireCurrentOwner(tx, caller)
            const { amount, description = order.description, missed_runs = order.missed_runs } = body
            return store(tx, {
              ...order,
              amount: amount === undefined ? order.amount : readAmount(amount, order.currency, '/amount'),
              description,
              missed_runs,
              ...(asked && {
                ...toScheduleRow(asked.schedule),
                ...{ next_number: asked.first.number, next_due_at: asked.first.dueAt },
              }),
            })
          }),
        )
      },
    }),
    route({
      method: 'PUT',
      path: '/orders/{id}/status',
      who: 'signed-in',
      summary: 'Pause or resume a payment order; what was due while it was paused is not paid',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['status'],
        properties: { status: { enum: ['active', 'paused'] } },
      },
      answers: { 200: orderSchema },
      problems: [notFound, ended],
      handle: ({ params: { id }, body: { status }, caller, traceparent }, { transact }) =>
        transact(traceparent, async (tx) => {
          const order = await findOrder(tx, id, ownerSeen(caller), { lock: true })
          if (!order) return orderNotFound()
          if (hasEnded(order)) return orderEnded(order)
          if (order.status === status)
            return { status: 200, body: toOrder(order), about: 'nothing-changed' as const }
          if (status === 'paused') return pause(tx, order)
          await requireCurrentOwner(tx, caller)
          return resume(tx, order)
        }),
    }),
  ],
})

async function pause(tx: Emitting, order: OrderRow): Promise<Reply> {
  await skipRuns(tx, order.id)
  return store(tx, { ...order, status: 'paused', stop_reason: null })
}

/** What comes next is what is due after this moment. If nothing is, the order has ended meanwhile. */
async function resume(tx: Emitting, order: OrderRow): Promise<Reply> {
  const next = await nextOf(toSchedule(order), await timeOf(tx))
  return store(tx, {
    ...order,
    status: next ? 'active' : 'completed',
    stop_reason: null,
    next_number: next?.number ?? null,
    next_due_at: next?.dueAt ?? null,
  })
}

async function store(tx: Emitting, order: OrderRow): Promise<Reply> {
  const [row] = await tx.query<OrderRow>({
    name: 'order-update',
    text: `update payment_orders
      set amount = $2, description = $3, missed_runs = $4, status = $5, stop_reason = $6, next_number = $7,
        next_due_at = $8, run_at = $9, every = $10, on_day = $11, at_time = $12, time_zone = $13, from_date = $14,
        until_date = $15, run_count = $16, set_aside_until = null
      where id = $1 returning ${orderColumns}`,
    values: [
      ...[order.id, order.amount, order.description, order.missed_runs, order.status, order.stop_reason],
      ...[order.next_number, order.next_due_at, order.run_at, order.every, order.on_day, order.at_time],
      ...[order.time_zone, order.from_date, order.until_date, order.run_count],
    ],
  })
  return { status: 200, body: toOrder(row!) }
}

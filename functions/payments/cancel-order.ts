import { orderCancelled } from '../../eventing/contracts/order.cancelled.ts'
import { operation, route } from '../host/operation.ts'
import { idParams } from '../host/schema.ts'
import {
  findOrder,
  orderColumns,
  orderEnded,
  orderNotFound,
  orderProblems,
  orderSchema,
  ownerSeen,
  toOrder,
  type OrderRow,
} from './orders/order.ts'
import { skipRuns } from './orders/skip-runs.ts'

export default operation({
  name: 'cancel-order',
  context: 'payments',
  summary: 'Cancels a payment order: nothing more is paid for it',
  routes: [
    route({
      method: 'DELETE',
      path: '/orders/{id}',
      who: 'signed-in',
      summary: 'Cancel a payment order; a run that has begun is finished',
      params: idParams,
      answers: { 200: orderSchema },
      problems: [orderProblems.orderNotFound, orderProblems.orderEnded],
      handle: ({ params: { id }, caller, traceparent }, { transact }) =>
        transact(traceparent, async (tx) => {
          const order = await findOrder(tx, id, ownerSeen(caller), { lock: true })
          if (!order) return orderNotFound()
          if (order.status === 'completed') return orderEnded(order)
          if (order.status === 'cancelled')
            return { status: 200, body: toOrder(order), about: 'nothing-changed' as const }
          const [row] = await tx.query<OrderRow & { now: Date }>({
            name: 'order-cancel',
            text: `update payment_orders
              set status = 'cancelled', stop_reason = null, next_number = null, next_due_at = null
              where id = $1 returning ${orderColumns}, date_trunc('milliseconds', now()) as now`,
            values: [id],
          })
          await skipRuns(tx, id)
          tx.emit(orderCancelled, {
            subject: id,
            partitionkey: order.account_id,
            data: {
              order_id: id,
              user_id: order.user_id,
              account_id: order.account_id,
              cancelled_by: caller.userId,
              timestamp: row!.now.toISOString(),
            },
          })
          return { status: 200, body: toOrder(row!) }
        }),
    }),
  ],
})

import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { ownerAsked } from '../host/owner-asked.ts'
import { problems } from '../host/problems.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import {
  findOrder,
  orderColumns,
  orderNotFound,
  orderProblems,
  orderSchema,
  orderStatuses,
  ownerSeen,
  toOrder,
  type OrderRow,
} from './orders/order.ts'
import { runSchema, toRun, type RunRow } from './orders/run.ts'

export default operation({
  name: 'orders',
  context: 'payments',
  summary: 'Lists and shows payment orders and their runs',
  routes: [
    route({
      method: 'GET',
      path: '/orders',
      who: 'signed-in',
      summary: 'Payment orders, newest first; customers see their own, operators those of a user_id, or all',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          ...pageQuery,
          status: { enum: orderStatuses },
          user_id: uuidSchema,
          account_id: { ...uuidSchema, description: 'An account that they pay from or to.' },
        },
      },
      answers: { 200: pageOf(orderSchema) },
      problems: [problems.notFound],
      handle: async ({ query, caller }, { db }) => {
        const { status, limit, account_id: accountId } = query
        const ownerId = ownerAsked(caller, query.user_id)
        // Without a name, so that Postgres plans it for the filters given.
        const rows = await db.query<OrderRow>({
          text: `select ${orderColumns} from payment_orders
            where ($1::uuid is null or user_id = $1) and ($2::text is null or status = $2)
              and ($3::uuid is null or $3 in (account_id, to_account_id)) and ($4::uuid is null or id < $4)
            order by id desc limit $5`,
          values: [ownerId, status, accountId, decodeCursor(query.cursor), limit + 1],
        })
        const about = { ownerId: ownerId ?? null, ...(accountId && { subject: accountId }) }
        return { status: 200, body: page(rows, limit, toOrder), about }
      },
    }),
    route({
      method: 'GET',
      path: '/orders/{id}',
      who: 'signed-in',
      summary: 'One payment order',
      params: idParams,
      answers: { 200: orderSchema },
      problems: [orderProblems.orderNotFound],
      handle: async ({ params: { id }, caller }, { db }) => {
        const order = await findOrder(db, id, ownerSeen(caller))
        return order ? { status: 200, body: toOrder(order) } : orderNotFound()
      },
    }),
    route({
      method: 'GET',
      path: '/orders/{id}/runs',
      who: 'signed-in',
      summary: 'Runs of a payment order with their transactions, newest first',
      params: idParams,
      query: { type: 'object', additionalProperties: false, properties: pageQuery },
      answers: { 200: pageOf(runSchema) },
      problems: [orderProblems.orderNotFound],
      handle: async ({ params: { id }, query: { limit, cursor }, caller }, { db }) => {
        const order = await findOrder(db, id, ownerSeen(caller))
        if (!order) return orderNotFound()
        const rows = await db.query<RunRow>({
          name: 'order-runs-list',
          text: `select * from payment_order_runs
            where order_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
          values: [id, decodeCursor(cursor), limit + 1],
        })
        return { status: 200, body: page(rows, limit, toRun), about: { ownerId: order.user_id } }
      },
    }),
  ],
})

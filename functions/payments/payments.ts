import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { ownerAsked } from '../host/owner-asked.ts'
import { problems } from '../host/problems.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import {
  findPayment,
  paymentColumns,
  paymentSchema,
  paymentStatuses,
  toPayment,
  type PaymentRow,
} from './payments/payment.ts'
import { paymentNotFound } from './payments/refusals.ts'

export default operation({
  name: 'payments',
  context: 'payments',
  summary: 'Lists and shows payments',
  routes: [
    route({
      method: 'GET',
      path: '/payments',
      who: 'signed-in',
      summary: 'Payments, newest first; customers see their own, operators those of a user_id, or all',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { ...pageQuery, status: { enum: paymentStatuses }, user_id: uuidSchema },
      },
      answers: { 200: pageOf(paymentSchema) },
      problems: [problems.notFound],
      handle: async ({ query, caller }, { db }) => {
        const { limit } = query
        const ownerId = ownerAsked(caller, query.user_id)
        // The statement has no name, so Postgres plans it for the filters given.
        const rows = await db.query<PaymentRow>({
          text: `select ${paymentColumns} from payments
            where ($1::uuid is null or user_id = $1) and ($2::payment_status is null or status = $2)
              and ($3::uuid is null or id < $3)
            order by id desc limit $4`,
          values: [ownerId, query.status, decodeCursor(query.cursor), limit + 1],
        })
        return { status: 200, body: page(rows, limit, toPayment), about: { ownerId: ownerId ?? null } }
      },
    }),
    route({
      method: 'GET',
      path: '/payments/{id}',
      who: 'signed-in',
      summary: 'One payment',
      params: idParams,
      answers: { 200: paymentSchema },
      handle: async ({ params: { id }, caller }, { db }) => {
        const payment = await findPayment(db, id, caller)
        return payment ? { status: 200, body: toPayment(payment) } : paymentNotFound()
      },
    }),
  ],
})

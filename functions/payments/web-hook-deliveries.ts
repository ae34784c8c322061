import { webhookQueued } from '../../eventing/contracts/webhook.queued.ts'
import { operation, route } from '../host/operation.ts'
import { once } from '../host/database/idempotency.ts'
import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { problem, problems } from '../host/problems.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import {
  DELIVERY_COLUMNS,
  deliverySchema,
  toDelivery,
  type WebHookDeliveryRow,
} from './web-hooks/delivery.ts'
import { hookNotFound, ownerSeenBy } from './web-hooks/hook.ts'

const deliveryParams = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'delivery_id'],
  properties: { id: uuidSchema, delivery_id: uuidSchema },
} as const

export default operation({
  name: 'web-hook-deliveries',
  context: 'payments',
  summary: 'Lists what was posted to a web hook, and posts it again',
  routes: [
    route({
      method: 'GET',
      path: '/webhooks/{id}/deliveries',
      who: 'signed-in',
      summary: 'The deliveries of a web hook, newest first; they are kept for 30 days',
      params: idParams,
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { ...pageQuery, status: { enum: ['pending', 'delivered', 'failed'] } },
      },
      answers: { 200: pageOf(deliverySchema) },
      problems: [problems.notFound],
      async handle({ params: { id }, query: { limit, cursor, status }, caller }, { db }) {
        const [hook] = await db.query<{ user_id: string }>({
          name: 'web-hook-owner-of',
          text: `select user_id from web_hooks where id = $1 and ($2::uuid is null or user_id = $2)`,
          values: [id, ownerSeenBy(caller)],
        })
        if (!hook) return hookNotFound(id)
        const rows = await db.query<WebHookDeliveryRow>({
          name: `web-hook-deliveries-list-${status ?? 'all'}`,
          // The status is part of the text, so that Postgres can use the index for that status.
          text: `select ${DELIVERY_COLUMNS} from web_hook_deliveries
            where web_hook_id = $1 and ($2::uuid is null or id < $2) ${status ? `and status = '${status}'` : ''}
            order by id desc limit $3`,
          values: [id, decodeCursor(cursor), limit + 1],
        })
        return { status: 200, body: page(rows, limit, toDelivery), about: { ownerId: hook.user_id } }
      },
    }),
    route({
      method: 'POST',
      path: '/webhooks/{id}/deliveries/{delivery_id}/repeat',
      who: 'signed-in',
      summary: 'Post it again, with the same webhook-id',
      params: deliveryParams,
      operationId: 'repeatWebHookDelivery',
      answers: { 202: deliverySchema },
      problems: [problems.notFound],
      idempotent: true,
      handle: ({ params, caller, idempotencyKey, traceparent }, { transact }) =>
        transact(traceparent, (tx) =>
          once(tx, 'web-hook-deliveries', idempotencyKey, async () => {
            const { id, delivery_id: deliveryId } = params
            // A hook's attempts lock its row first, and so does this.
            const [hook] = await tx.query<{ user_id: string }>({
              name: 'web-hook-lock-for-repeat',
              text: `select user_id from web_hooks where id = $1 and ($2::uuid is null or user_id = $2) for update`,
              values: [id, ownerSeenBy(caller)],
            })
            if (!hook) return hookNotFound(id)
            // Only attempts count from zero again. A claim stays, so an attempt that runs now is not doubled.
            const [row] = await tx.query<WebHookDeliveryRow>({
              name: 'web-hook-delivery-repeat',
              text: `update web_hook_deliveries set status = 'pending', next_attempt_at = now(),
                  attempts = case status when 'pending' then attempts else 0 end
                where id = $1 and web_hook_id = $2 returning ${DELIVERY_COLUMNS}`,
              values: [deliveryId, id],
            })
            if (!row) return problem(problems.notFound, `There is no delivery ${deliveryId}.`)
            tx.emit(webhookQueued, { subject: id, partitionkey: id, data: { web_hook_id: id } })
            return { status: 202, body: toDelivery(row), about: { ownerId: hook.user_id } }
          }),
        ),
    }),
  ],
})

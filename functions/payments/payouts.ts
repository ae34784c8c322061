import { invalidCursor, pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { problem } from '../host/problems.ts'
import { orNull, uuidSchema } from '../host/schema.ts'
import {
  countItems,
  payoutColumns,
  payoutItemSchema,
  payoutNotFound,
  payoutSchema,
  toPayout,
  toPayoutItem,
  type PayoutItemRow,
  type PayoutRow,
} from './payouts/payout.ts'

export default operation({
  name: 'payouts',
  context: 'payments',
  summary: 'Shows how a payout goes: counts, and the outcome of each item',
  routes: [
    route({
      method: 'GET',
      path: '/payments/payout/{batch_id}/status',
      who: 'signed-in',
      summary: 'A payout with its items, in the order of the request',
      params: {
        type: 'object',
        additionalProperties: false,
        required: ['batch_id'],
        properties: { batch_id: uuidSchema },
      },
      query: { type: 'object', additionalProperties: false, properties: pageQuery },
      answers: {
        200: {
          title: 'PayoutStatus',
          type: 'object',
          additionalProperties: false,
          required: [...payoutSchema.required, 'items', 'next_cursor'],
          properties: {
            ...payoutSchema.properties,
            items: { type: 'array', items: payoutItemSchema },
            next_cursor: orNull({ type: 'string' }),
          },
        },
      },
      problems: [payoutNotFound],
      handle: async ({ params: { batch_id: id }, query: { limit, cursor }, caller }, { db }) => {
        const after = readNumber(cursor)
        const [payout] = await db.query<PayoutRow>({
          name: 'payout-find',
          text: `select ${payoutColumns} from payouts where id = $1 and ($2::uuid is null or user_id = $2)`,
          values: [id, caller.role === 'operator' ? null : caller.userId],
        })
        if (!payout) return problem(payoutNotFound, 'There is no payout with this id.')
        const rows = await db.query<PayoutItemRow>({
          name: 'payout-items-list',
          text: `select * from payout_items where payout_id = $1 and number > $2 order by number limit $3`,
          values: [id, after, limit + 1],
        })
        const items = rows.slice(0, limit).map((row) => toPayoutItem(row, payout.currency))
        const next_cursor = rows.length > limit ? String(items.at(-1)!.number) : null
        return {
          status: 200,
          body: { ...toPayout(payout, await countItems(db, id)), items, next_cursor },
          about: { subject: id },
        }
      },
    }),
  ],
})

/** The cursor is the number of the last item of the page before. */
function readNumber(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  if (!/^[1-9][0-9]{0,3}$/.test(cursor)) throw invalidCursor()
  return Number(cursor)
}

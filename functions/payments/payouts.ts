import { decodeCursor, invalidCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { ownerAsked } from '../host/owner-asked.ts'
import { problem, problems } from '../host/problems.ts'
import { orNull, uuidSchema } from '../host/schema.ts'
import {
  COUNTS,
  countItems,
  payoutColumns,
  payoutItemSchema,
  payoutNotFound,
  payoutSchema,
  toPayout,
  toPayoutItem,
  type PayoutCounts,
  type PayoutItemRow,
  type PayoutRow,
} from './payouts/payout.ts'

/** The items of each payout are counted, a thousand at most, so a page is short. */
const listQuery = {
  ...pageQuery,
  limit: { type: 'integer', minimum: 1, maximum: 50, default: 20 },
  user_id: uuidSchema,
} as const

export default operation({
  name: 'payouts',
  context: 'payments',
  summary: 'Lists payouts, and shows how one goes: counts, and the outcome of each item',
  routes: [
    route({
      method: 'GET',
      path: '/payments/payout',
      who: 'signed-in',
      summary: 'Payouts, newest first; customers see their own, operators those of a user_id, or all',
      query: { type: 'object', additionalProperties: false, properties: listQuery },
      answers: { 200: pageOf(payoutSchema) },
      problems: [problems.notFound],
      handle: async ({ query: { limit, cursor, user_id: asked }, caller }, { db }) => {
        const ownerId = ownerAsked(caller, asked)
        // Without a name, so that Postgres plans it for the filters given.
        const rows = await db.query<PayoutRow & { counts: PayoutCounts }>({
          text: `select p.*, c.counts from (
              select ${payoutColumns} from payouts
              where ($1::uuid is null or user_id = $1) and ($2::uuid is null or id < $2)
              order by id desc limit $3
            ) p
            cross join lateral (
              select row_to_json(n) as counts from (select ${COUNTS} from payout_items where payout_id = p.id) n
            ) c
            order by p.id desc`,
          values: [ownerId, decodeCursor(cursor), limit + 1],
        })
        const body = page(rows, limit, ({ counts, ...payout }) => toPayout(payout, counts))
        return { status: 200, body, about: { ownerId: ownerId ?? null } }
      },
    }),
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

import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { ownerAsked } from '../host/owner-asked.ts'
import { problems } from '../host/problems.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import { findAccount } from './accounts/account.ts'
import { findHold, holdSchema, holdStatuses, listHolds, toHold } from './holds/hold.ts'
import { accountNotFound, holdProblems, postingProblems, refusal } from './posting/refusals.ts'

export default operation({
  name: 'holds',
  context: 'ledger',
  summary: 'Lists and shows holds',
  routes: [
    route({
      method: 'GET',
      path: '/holds',
      who: 'signed-in',
      summary:
        'Holds, newest first; customers see those on their own accounts, operators those of a user_id, or all',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          ...pageQuery,
          account_id: uuidSchema,
          user_id: uuidSchema,
          status: { enum: holdStatuses },
        },
      },
      answers: { 200: pageOf(holdSchema) },
      problems: [problems.notFound, postingProblems['account-not-found']],
      handle: async ({ query, caller }, { db }) => {
        const { account_id: accountId, status, limit } = query
        const ownerId = ownerAsked(caller, query.user_id)
        const account = accountId === undefined ? undefined : await findAccount(db, accountId, caller)
        if (accountId && !account) return accountNotFound()
        const rows = await listHolds(db, {
          accountId,
          ownerId,
          status,
          before: decodeCursor(query.cursor),
          limit: limit + 1,
        })
        return {
          status: 200,
          body: page(rows, limit, (row) => toHold(row, caller)),
          about: { ownerId: account?.user_id ?? ownerId ?? null },
        }
      },
    }),
    route({
      method: 'GET',
      path: '/holds/{id}',
      who: 'signed-in',
      onBehalf: ['payments'],
      summary: 'One hold',
      params: idParams,
      answers: { 200: holdSchema },
      problems: [holdProblems['hold-not-found']],
      handle: async ({ params: { id }, caller }, { db }) => {
        const hold = await findHold(db, id, caller)
        if (!hold) return refusal('hold-not-found')
        return { status: 200, body: toHold(hold, caller), about: { ownerId: hold.user_id ?? null } }
      },
    }),
  ],
})

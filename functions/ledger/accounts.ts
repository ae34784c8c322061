import { operation, route } from '../host/operation.ts'
import type { Database } from '../host/database/database.ts'
import { decodeCursor, page, pageOf, pageQuery } from '../host/database/paging.ts'
import { ownerAsked } from '../host/owner-asked.ts'
import { problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import { idParams, orNull, uuidSchema } from '../host/schema.ts'
import {
  accountColumns,
  accountSchema,
  accountStatuses,
  available,
  findAccount,
  ownerSeenBy,
  toAccount,
  type AccountRow,
} from './accounts/account.ts'
import { accountChangeSchema, readChanges, toAccountChange } from './accounts/account-changes.ts'
import { accountNumberSchema } from './values/account-number.ts'
import { invalidQuery, momentSchema, readMoment } from './values/moment.ts'
import { formatAmount } from '../host/values/money.ts'
import { accountNotFound, postingProblems } from './posting/refusals.ts'

const balanceSchema = {
  title: 'Balance',
  type: 'object',
  additionalProperties: false,
  required: ['balance', 'available', 'as_of'],
  properties: {
    balance: { type: 'string' },
    // Null for a moment before the account was opened.
    available: { type: ['string', 'null'] },
    as_of: { type: 'string', format: 'date-time' },
  },
} as const

/** An account with its amounts at a moment, in minor units. */
type BalanceRow = AccountRow & { now: Date; balance_then: bigint; available_then: bigint }

const availableAt = (moment: Date, row: BalanceRow): string | null =>
  moment < row.created_at ? null : formatAmount(row.available_then, row.currency)

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

const listOfAllText = `select ${accountColumns} from accounts
  where kind = 'customer' and ($1::account_status is null or status = $1) and id < $2
  order by id desc limit $3`

// The condition is a range over both columns, in their order, and compares the status as text, so that only
// the index accounts_by_user fits. With another index Postgres could read through the accounts of other
// customers.
const listOfOwnerText = `select ${accountColumns} from accounts
  where kind = 'customer' and user_id >= $1 and (user_id, id) < ($1, $3::uuid)
    and ($2::text is null or status::text = $2)
  order by user_id desc, id desc limit $4`

/** Lists the account with a number, if it is the owner's (undefined: anybody's) and in this state. */
async function findByNumber(
  db: Database,
  { number, owner, status }: { number: string; owner: string | undefined; status: string | undefined },
): Promise<Reply> {
  const rows = await db.query<AccountRow>({
    name: 'accounts-of-number',
    text: `select ${accountColumns} from accounts
      where kind = 'customer' and number = $1 and ($2::uuid is null or user_id = $2)
        and ($3::account_status is null or status = $3)`,
    values: [number, owner, status],
  })
  const [account] = rows
  return {
    status: 200,
    body: page(rows, 1, toAccount),
    about: account ? { subject: account.id, ownerId: account.user_id } : {},
  }
}

const payeeSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['account'],
  properties: {
    account: orNull({
      type: 'object',
      additionalProperties: false,
      required: ['id', 'user_id', 'currency'],
      properties: { id: uuidSchema, user_id: uuidSchema, currency: { type: 'string' } },
    }),
  },
} as const

const problemsOfOne = [postingProblems['account-not-found']]

export default operation({
  name: 'accounts',
  context: 'ledger',
  summary: 'Lists and shows accounts, and balances now or at any moment of the past',
  routes: [
    route({
      method: 'GET',
      path: '/accounts',
      who: 'signed-in',
      onBehalf: ['payments'],
      summary: 'Accounts, newest first, or the one with a number; customers see only their own',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          ...pageQuery,
          user_id: uuidSchema,
          status: { enum: accountStatuses },
          number: accountNumberSchema,
        },
      },
      answers: { 200: pageOf(accountSchema) },
      problems: [problems.notFound],
      handle: async ({ query, caller }, { db }) => {
        const owner = ownerAsked(caller, query.user_id)
        const { limit, number } = query
        if (number !== undefined) return findByNumber(db, { number, owner, status: query.status })
        // The statement has no name, so Postgres plans it for the filters given.
        const rows = await db.query<AccountRow>({
          text: owner === undefined ? listOfAllText : listOfOwnerText,
          values: [
            ...(owner === undefined ? [] : [owner]),
            query.status,
            decodeCursor(query.cursor) ?? LAST_ID,
            limit + 1,
          ],
        })
        return { status: 200, body: page(rows, limit, toAccount) }
      },
    }),
    route({
      method: 'POST',
      path: '/accounts/find',
      // For payees who are named by number. A customer could use it to learn whose account it is.
      who: 'contexts',
      onBehalf: ['payments'],
      summary: 'The open account with a number; null if there is none',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['number'],
        properties: { number: accountNumberSchema },
      },
      answers: { 200: payeeSchema },
      audits: { nothing: 'only payments learns it, and tells nobody whose account it is' },
      handle: async ({ body }, { db }) => {
        const [account] = await db.query<Pick<AccountRow, 'id' | 'user_id' | 'currency'>>({
          name: 'account-by-number',
          text: `select id, user_id, currency from accounts
            where kind = 'customer' and number = $1 and status = 'open'`,
          values: [body.number],
        })
        return { status: 200, body: { account: account ?? null } }
      },
    }),
    route({
      method: 'GET',
      path: '/accounts/{id}',
      who: 'signed-in',
      onBehalf: ['payments'],
      summary: 'One account',
      params: idParams,
      answers: { 200: accountSchema },
      problems: problemsOfOne,
      handle: async ({ params: { id }, caller }, { db }) => {
        const account = await findAccount(db, id, caller)
        return account ? { status: 200, body: toAccount(account) } : accountNotFound()
      },
    }),
    route({
      method: 'GET',
      path: '/accounts/{id}/balance',
      who: 'signed-in',
      summary: 'Balance now, or at a moment of the past: with everything posted until then',
      params: idParams,
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { as_of: momentSchema },
      },
      answers: { 200: balanceSchema },
      problems: problemsOfOne,
      handle: async ({ params: { id }, query, caller }, { db }) => {
        const asOf = query.as_of === undefined ? undefined : readMoment(query.as_of, '/as_of')
        const [row] = await db.query<BalanceRow>({
          name: 'account-balance',
          text: `select ${accountColumns}, now(), balance_then,
              balance_then - held_at(accounts, moment) + overdraft_at(accounts, moment) as available_then
            from accounts, coalesce($3::timestamptz, 'infinity') moment, balance_at(accounts, moment) balance_then
            where id = $1 and kind = 'customer' and ($2::uuid is null or user_id = $2)`,
          values: [id, ownerSeenBy(caller), asOf],
        })
        if (!row) return accountNotFound()
        if (asOf && asOf > row.now) throw invalidQuery('/as_of', 'must not be in the future')
        return {
          status: 200,
          about: { ownerId: row.user_id },
          body: {
            balance: formatAmount(asOf ? row.balance_then : row.balance, row.currency),
            available: asOf ? availableAt(asOf, row) : formatAmount(available(row), row.currency),
            as_of: (asOf ?? row.now).toISOString(),
          },
        }
      },
    }),
    route({
      method: 'GET',
      path: '/accounts/{id}/changes',
      who: 'signed-in',
      summary: 'Who froze, unfroze or closed the account or changed its overdraft limit, newest first',
      params: idParams,
      query: { type: 'object', additionalProperties: false, properties: pageQuery },
      answers: { 200: pageOf(accountChangeSchema) },
      problems: problemsOfOne,
      handle: async ({ params: { id }, query: { cursor, limit }, caller }, { db }) => {
        const before = decodeCursor(cursor)
        const account = await findAccount(db, id, caller)
        if (!account) return accountNotFound()
        const rows = await readChanges(db, id, { before, count: limit + 1 })
        const body = page(rows, limit, toAccountChange(account, caller))
        return { status: 200, body, about: { ownerId: account.user_id } }
      },
    }),
  ],
})

import { operation, route, type Caller } from '../../knative/host/operation.ts'
import { decodeCursor, page, pageOf, pageQuery } from '../../knative/host/paging.ts'
import type { Database } from '../../knative/host/database.ts'
import { idParams, uuidSchema } from '../../knative/host/schema.ts'
import { findAccount, ownerSeenBy } from './account.ts'
import { momentSchema, readMoment } from './moment.ts'
import { accountNotFound, postingProblems, transactionNotFound } from './refusals.ts'
import {
  toTransaction,
  transactionSchema,
  transactionStatuses,
  transactionTypes,
  type TransactionRow,
} from './transaction.ts'

const columns = `t.id, t.type, t.status, t.account_id, t.to_account_id, t.amount, t.currency, t.description,
  t.metadata, t.balance_after, t.created_at, t.user_id`

export default operation({
  name: 'transactions',
  context: 'ledger',
  summary: 'Lists and shows transactions',
  routes: [
    route({
      method: 'GET',
      path: '/transactions',
      who: 'signed-in',
      summary: 'Transactions, newest first; a customer sees those that touch his own accounts',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          ...pageQuery,
          account_id: uuidSchema,
          type: { enum: transactionTypes },
          status: { enum: transactionStatuses },
          from: momentSchema,
          to: momentSchema,
        },
      },
      answers: { 200: pageOf(transactionSchema) },
      problems: [postingProblems['account-not-found']],
      handle: async ({ query, caller }, { db }) => {
        const { account_id: accountId } = query
        if (accountId && !(await findAccount(db, accountId, caller))) return accountNotFound()
        const { limit } = query
        const filters = [
          query.type,
          query.status,
          query.from && readMoment(query.from, '/from'),
          query.to && readMoment(query.to, '/to'),
          decodeCursor(query.cursor),
          limit + 1,
        ]
        const rows =
          accountId || caller.role === 'customer'
            ? await listOfAccounts(db, [accountId, ownerSeenBy(caller)], filters)
            : await listOfAll(db, filters)
        return { status: 200, body: page(rows, limit, (row) => toTransaction(row, caller)) }
      },
    }),
    route({
      method: 'GET',
      path: '/transactions/{id}',
      who: 'signed-in',
      summary: 'One transaction',
      params: idParams,
      answers: { 200: transactionSchema },
      handle: async ({ params: { id }, caller }, { db }) => {
        const row = await findTransaction(db, id, caller)
        return row ? { status: 200, body: toTransaction(row, caller) } : transactionNotFound()
      },
    }),
  ],
})

async function findTransaction(
  db: Database,
  id: string,
  caller: Caller,
): Promise<TransactionRow | undefined> {
  const [row] = await db.query<TransactionRow>({
    name: 'transaction-find',
    text: `select ${columns} from transactions t
      where t.id = $1 and ($2::uuid is null or $2 in (t.user_id, t.to_user_id))`,
    values: [id, ownerSeenBy(caller)],
  })
  return row
}

// `from` is inclusive, `to` is not: the next day begins where this one ends.
const filtered = `($1::transaction_type is null or t.type = $1)
  and ($2::transaction_status is null or t.status = $2)
  and ($3::timestamptz is null or t.created_at >= $3)
  and ($4::timestamptz is null or t.created_at < $4)
  and ($5::uuid is null or t.id < $5)`

// The lists' statements have no names, so that each is planned for the filters at hand.

const listOfAll = (db: Database, filters: unknown[]): Promise<TransactionRow[]> =>
  db.query<TransactionRow>({
    text: `select ${columns} from transactions t where ${filtered} order by t.id desc limit $6`,
    values: filters,
  })

/** Transactions of one account, or of all accounts of one user. Each account gives its newest by an index (its
 * entries; and what has none because it is pending or rejected), and the newest of these together are the page. */
const listOfAccounts = (
  db: Database,
  [accountId, userId]: [string | undefined, string | undefined],
  filters: unknown[],
): Promise<TransactionRow[]> =>
  db.query<TransactionRow>({
    text: `with mine as (
        select id, user_id from accounts
        where kind = 'customer' and ($7::uuid is null or id = $7) and ($8::uuid is null or user_id = $8)
      ), found as (
        select posted.id from mine cross join lateral (
          select t.id from entries e join transactions t on t.id = e.transaction_id
          where e.account_id = mine.id and ($5::uuid is null or e.transaction_id < $5) and ${filtered}
          order by e.transaction_id desc limit $6
        ) posted
        union
        select unposted.id from mine cross join lateral (
          select t.id from transactions t
          where t.account_id = mine.id and t.user_id = mine.user_id and t.status in ('pending', 'rejected')
            and ${filtered}
          order by t.id desc limit $6
        ) unposted
      )
      select ${columns} from found join transactions t using (id) order by t.id desc limit $6`,
    values: [...filters, accountId, userId],
  })

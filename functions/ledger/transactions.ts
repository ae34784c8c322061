import { operation, route } from '../host/operation.ts'
import type { Caller } from '../host/route-request.ts'
import { pageOf, pageQuery } from '../host/database/paging.ts'
import type { Database } from '../host/database/database.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import { counterpartyOf } from './accounts/counterparty.ts'
import { findAccount, ownerSeenBy } from './accounts/account.ts'
import { momentSchema } from './values/moment.ts'
import { accountNotFound, postingProblems, transactionNotFound } from './posting/refusals.ts'
import { amountQuery, readFilters } from './transactions/filters.ts'
import { searchQuery, searchTransactions } from './transactions/search.ts'
import { listOfAccounts, listOfAll, transactionColumns } from './transactions/transaction-lists.ts'
import {
  toTransaction,
  toTransactionDetail,
  transactionDetailSchema,
  transactionSchema,
  transactionStatuses,
  transactionTypes,
  type TransactionDetailRow,
} from './transactions/transaction.ts'

export default operation({
  name: 'transactions',
  context: 'ledger',
  summary: 'Lists and shows transactions',
  routes: [
    route({
      method: 'GET',
      path: '/transactions',
      who: 'signed-in',
      summary:
        'Transactions, newest first; customers see those that touch their own accounts. ' +
        '`query` searches the words of the description, `metadata` a field and its value (`order:A-17`)',
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
          ...amountQuery,
          ...searchQuery,
        },
      },
      answers: { 200: pageOf(transactionSchema) },
      problems: [postingProblems['account-not-found']],
      handle: async ({ query, caller }, { db }) => {
        const { account_id: accountId } = query
        const account = accountId === undefined ? undefined : await findAccount(db, accountId, caller)
        if (accountId && !account) return accountNotFound()
        const filters = readFilters(query, account?.currency ?? 'USD')
        const userId = ownerSeenBy(caller)
        const list = () =>
          accountId || userId
            ? listOfAccounts(db, { accountId, userId }, filters, query)
            : listOfAll(db, filters, query)
        const scope = { accountId, userId: account?.user_id ?? userId }
        const isSearch = query.query !== undefined || query.metadata !== undefined
        const { rows, nextCursor } = await (isSearch
          ? searchTransactions(db, scope, query, filters, query)
          : list())
        const items = rows.map((row) => toTransaction(row, caller))
        const about = { ownerId: account?.user_id ?? null }
        return { status: 200, body: { items, next_cursor: nextCursor }, about }
      },
    }),
    route({
      method: 'GET',
      path: '/transactions/{id}',
      who: 'signed-in',
      onBehalf: ['payments'],
      summary: 'One transaction',
      params: idParams,
      answers: { 200: transactionDetailSchema },
      handle: async ({ params: { id }, caller }, { db }) => {
        const row = await findTransaction(db, id, caller)
        if (!row) return transactionNotFound()
        return {
          status: 200,
          body: toTransactionDetail(row, caller),
          about: { ownerId: row.user_id ?? null },
        }
      },
    }),
  ],
})

async function findTransaction(
  db: Database,
  id: string,
  caller: Caller,
): Promise<TransactionDetailRow | undefined> {
  const [row] = await db.query<TransactionDetailRow>({
    name: 'transaction-find',
    // The other side is the payee, unless the caller is that.
    text: `select ${transactionColumns}, t.trace_id, other.number as counterparty_number,
        case when t.user_id = t.to_user_id then other.name end as counterparty_name
      from transactions t
      ${counterpartyOf('case when t.to_user_id = $2 and t.user_id <> $2 then t.account_id else t.to_account_id end')}
      where t.id = $1 and ($2::uuid is null or $2 in (t.user_id, t.to_user_id))`,
    values: [id, ownerSeenBy(caller)],
  })
  return row
}

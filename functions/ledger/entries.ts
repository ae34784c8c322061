import { operation, route } from '../host/operation.ts'
import { pageOf, pageQuery } from '../host/database/paging.ts'
import { idParams } from '../host/schema.ts'
import { entrySchema, listEntries } from './accounts/entries.ts'
import { findAccount } from './accounts/account.ts'
import { accountNotFound, postingProblems } from './posting/refusals.ts'
import { searchQuery } from './transactions/search.ts'
import { transactionTypes } from './transactions/transaction.ts'
import { momentSchema, readMoment } from './values/moment.ts'

export default operation({
  name: 'entries',
  context: 'ledger',
  summary: 'Lists the entries of an account, with the balance after each and the hashes that chain them',
  routes: [
    route({
      method: 'GET',
      path: '/accounts/{id}/entries',
      who: 'signed-in',
      summary: 'Entries of an account, newest first; `query` searches the words of the description',
      params: idParams,
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          ...pageQuery,
          type: { enum: transactionTypes },
          from: momentSchema,
          to: momentSchema,
          query: searchQuery.query,
        },
      },
      answers: { 200: pageOf(entrySchema) },
      problems: [postingProblems['account-not-found']],
      handle: async ({ params: { id }, query, caller }, { db }) => {
        const account = await findAccount(db, id, caller)
        if (!account) return accountNotFound()
        const filters = {
          type: query.type,
          from: query.from === undefined ? undefined : readMoment(query.from, '/from'),
          to: query.to === undefined ? undefined : readMoment(query.to, '/to'),
          query: query.query,
        }
        return {
          status: 200,
          body: await listEntries(db, account, filters, query),
          about: { ownerId: account.user_id },
        }
      },
    }),
  ],
})

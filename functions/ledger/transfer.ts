import { located } from '../host/answer-of.ts'
import { operation, route } from '../host/operation.ts'
import { uuidSchema } from '../host/schema.ts'
import { moveMoney, postRequested } from './posting/move-money.ts'
import { createPoster, type Poster } from './posting/post.ts'
import { postingProblems } from './posting/refusals.ts'
import { ledgerStopped } from './stops/stopped.ts'
import { moneyFields, transactionSchema } from './transactions/transaction.ts'

export default operation({
  name: 'transfer',
  context: 'ledger',
  summary: 'Moves money from the caller’s own account to any open account of the bank',
  needs: ['REQUEST_SIGNING_KEY'],
  state: createPoster,
  routes: [
    route({
      method: 'POST',
      path: '/transactions',
      when: { type: 'transfer' },
      // Operators too, but only from their own accounts: only the owner of money may send it.
      who: 'signed-in',
      onBehalf: ['payments'],
      summary: 'Transfer',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_id', 'to_account_id', 'amount'],
        properties: { type: { const: 'transfer' }, ...moneyFields, to_account_id: uuidSchema },
      },
      answers: { 201: located(transactionSchema), 202: located(transactionSchema) },
      problems: [...Object.values(postingProblems), ledgerStopped],
      idempotent: true,
      audits: 'books',
      async: true,
      handle: (request, tools, poster: Poster) => moveMoney('transfer', request, tools, poster),
    }),
  ],
  consumes: postRequested,
})

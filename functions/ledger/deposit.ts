import { located } from '../host/answer-of.ts'
import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import { moveMoney, postRequested } from './posting/move-money.ts'
import { createPoster, type Poster } from './posting/post.ts'
import { postingProblems, valueDateProblems } from './posting/refusals.ts'
import { ledgerStopped } from './stops/stopped.ts'
import { moneyFields, transactionSchema, valueDateField } from './transactions/transaction.ts'

export default operation({
  name: 'deposit',
  context: 'ledger',
  summary: 'Deposits cash: at the counter by an operator, or at the cash machine by the account’s owner',
  needs: ['REQUEST_SIGNING_KEY'],
  state: createPoster,
  routes: [
    route({
      method: 'POST',
      path: '/transactions',
      when: { type: 'deposit' },
      who: 'signed-in',
      summary: 'Deposit',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_id', 'amount'],
        properties: { type: { const: 'deposit' }, ...moneyFields, ...valueDateField },
      },
      answers: { 201: located(transactionSchema), 202: located(transactionSchema) },
      problems: [
        problems.forbidden,
        ...Object.values(postingProblems),
        ...Object.values(valueDateProblems),
        ledgerStopped,
      ],
      idempotent: true,
      audits: 'books',
      async: true,
      handle: (request, tools, poster: Poster) => moveMoney('deposit', request, tools, poster),
    }),
  ],
  consumes: postRequested,
})

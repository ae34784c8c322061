import { operation, route } from '../host/operation.ts'
import { moveMoney, postRequested } from './posting/move-money.ts'
import { postingProblems } from './posting/refusals.ts'
import { moneyFields, transactionSchema } from './transactions/transaction.ts'

export default operation({
  name: 'deposit',
  context: 'ledger',
  summary: 'Takes money in: at the counter by an operator, or at the cash machine by the account’s owner',
  needs: ['REQUEST_SIGNING_KEY'],
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
        properties: { type: { const: 'deposit' }, ...moneyFields },
      },
      answers: { 201: transactionSchema, 202: transactionSchema },
      problems: Object.values(postingProblems),
      idempotent: true,
      async: true,
      handle: (request, tools) => moveMoney('deposit', 'deposit', request, tools),
    }),
  ],
  consumes: postRequested('deposit'),
})

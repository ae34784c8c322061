import { pageOf } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import { idParams, personalText, uuidSchema } from '../host/schema.ts'
import { amountSchema, currencySchema } from '../host/values/money.ts'
import { createTransfer } from './providers/create.ts'
import { checkCredit } from './providers/check-credit.ts'
import { topUpSchema } from './providers/provider-transfer.ts'
import { creditProblems, providerProblems } from './providers/refusals.ts'
import { resolveBody } from './providers/resolve-body.ts'
import { cancelTransfer, listQuery, listTransfers, showTransfer } from './providers/shown.ts'

export default operation({
  name: 'top-ups',
  context: 'payments',
  summary: 'Brings money from outside into an account, by way of the payment provider',
  needs: ['PAYMENTS_CALL_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/payments/top-ups',
      who: 'signed-in',
      summary: 'Top up an account; next_url of the answer is where the customer pays, if they have to',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_id', 'amount'],
        properties: {
          account_id: uuidSchema,
          amount: amountSchema,
          currency: currencySchema,
          description: personalText,
        },
      },
      answers: { 201: topUpSchema },
      problems: [...creditProblems, problems.forbidden, providerProblems.none, providerProblems.tooMany],
      idempotent: true,
      handle: (request, tools) => createTransfer('top-up', request, tools, () => checkCredit(request, tools)),
    }),
    route({
      method: 'GET',
      path: '/payments/top-ups',
      who: 'signed-in',
      summary: 'Top-ups, newest first; customers see their own',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: listQuery,
      },
      answers: { 200: pageOf(topUpSchema) },
      handle: (request, tools) => listTransfers('top-up', request, tools),
    }),
    route({
      method: 'GET',
      path: '/payments/top-ups/{id}',
      who: 'signed-in',
      summary: 'One top-up',
      params: idParams,
      answers: { 200: topUpSchema },
      handle: (request, tools) => showTransfer('top-up', request, tools),
    }),
    route({
      method: 'POST',
      path: '/payments/top-ups/{id}/cancel',
      who: 'signed-in',
      summary: 'Cancel a top-up that is pending',
      params: idParams,
      body: { type: 'object', additionalProperties: false, properties: {} },
      answers: { 200: topUpSchema },
      problems: [providerProblems.notCancellable],
      handle: (request, tools) => cancelTransfer('top-up', request, tools),
    }),
    route({
      method: 'POST',
      path: '/payments/top-ups/{id}/resolve',
      who: 'operator',
      summary: 'End the dispute of a top-up, after somebody has looked into it',
      params: idParams,
      body: resolveBody,
      answers: { 200: topUpSchema },
      problems: [problems.notFound, providerProblems.notResolvable],
      idempotent: true,
      // It is rare, so it is loaded when it is first asked for.
      handle: async (request, tools) =>
        (await import('./providers/resolve.ts')).resolveDispute('top-up', request, tools),
    }),
  ],
})

import { pageOf } from '../host/database/paging.ts'
import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import { idParams, personalText, uuidSchema } from '../host/schema.ts'
import { amountSchema, currencySchema } from '../host/values/money.ts'
import { createTransfer } from './providers/create.ts'
import { placingProblems } from './payments/refusals.ts'
import { withdrawalSchema } from './providers/provider-transfer.ts'
import { providerProblems } from './providers/refusals.ts'
import { resolveBody } from './providers/resolve-body.ts'
import { cancelTransfer, listQuery, listTransfers, showTransfer } from './providers/shown.ts'

export default operation({
  name: 'withdrawals',
  context: 'payments',
  summary: 'Pays money from an account to one outside the bank, by way of the payment provider',
  needs: ['PAYMENTS_CALL_KEY'],
  routes: [
    route({
      method: 'POST',
      path: '/payments/withdrawals',
      who: 'signed-in',
      summary:
        'Withdraw to an account outside the bank: the money is held until the provider has paid it out',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_id', 'amount', 'payee_name', 'payee_account'],
        properties: {
          account_id: uuidSchema,
          amount: amountSchema,
          currency: currencySchema,
          description: personalText,
          payee_name: { ...personalText, minLength: 1, maxLength: 140 },
          // An IBAN, or whatever the provider takes.
          payee_account: { 'x-personal': true, type: 'string', pattern: '^[A-Za-z0-9 -]{4,42}$' },
        },
      },
      answers: { 201: withdrawalSchema },
      problems: [...placingProblems, problems.forbidden, providerProblems.none, providerProblems.tooMany],
      idempotent: true,
      handle: (request, tools) => createTransfer('withdrawal', request, tools),
    }),
    route({
      method: 'GET',
      path: '/payments/withdrawals',
      who: 'signed-in',
      summary: 'Withdrawals, newest first; customers see their own',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: listQuery,
      },
      answers: { 200: pageOf(withdrawalSchema) },
      handle: (request, tools) => listTransfers('withdrawal', request, tools),
    }),
    route({
      method: 'GET',
      path: '/payments/withdrawals/{id}',
      who: 'signed-in',
      summary: 'One withdrawal',
      params: idParams,
      answers: { 200: withdrawalSchema },
      handle: (request, tools) => showTransfer('withdrawal', request, tools),
    }),
    route({
      method: 'POST',
      path: '/payments/withdrawals/{id}/cancel',
      who: 'signed-in',
      summary: 'Cancel a withdrawal that is pending',
      params: idParams,
      body: { type: 'object', additionalProperties: false, properties: {} },
      answers: { 200: withdrawalSchema },
      problems: [providerProblems.notCancellable],
      handle: (request, tools) => cancelTransfer('withdrawal', request, tools),
    }),
    route({
      method: 'POST',
      path: '/payments/withdrawals/{id}/resolve',
      who: 'operator',
      summary: 'End the dispute of a withdrawal, after somebody has looked into it',
      params: idParams,
      body: resolveBody,
      answers: { 200: withdrawalSchema },
      problems: [problems.notFound, providerProblems.notResolvable],
      idempotent: true,
      // It is rare, so it is loaded when it is first asked for.
      handle: async (request, tools) =>
        (await import('./providers/resolve.ts')).resolveDispute('withdrawal', request, tools),
    }),
  ],
})

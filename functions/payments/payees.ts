import { operation, route } from '../host/operation.ts'
import { invalidQuery } from '../host/moment.ts'
import { define, problem, problems } from '../host/problems.ts'
import { uuidSchema } from '../host/schema.ts'
import { currencySchema } from '../host/values/money.ts'
import { EMAIL } from './payments/payment.ts'
import { showPayee, type AskedPayee } from './payments/shown-payee.ts'

const payeeNotFound = define('payee-not-found', 404, 'There is nobody to pay')

export default operation({
  name: 'payees',
  context: 'payments',
  summary: 'Shows whom an account number or an email address pays',
  needs: ['PAYMENTS_CALL_KEY'],
  routes: [
    route({
      method: 'GET',
      path: '/payees',
      who: 'signed-in',
      rate: { policy: 'payees', per: 'caller', quota: 'PAYEE_RATE' },
      summary:
        'The payee with an account number, or with an email address that they have confirmed; ' +
        '`currency` says which account belongs to an address',
      query: {
        type: 'object',
        additionalProperties: false,
        properties: {
          number: { type: 'string', pattern: '^[1-9][0-9]{11}$' },
          email: { 'x-personal': true, type: 'string', maxLength: 254, pattern: EMAIL },
          currency: currencySchema,
        },
      },
      answers: {
        200: {
          title: 'Payee',
          type: 'object',
          additionalProperties: false,
          required: ['account_id', 'name', 'currency'],
          properties: {
            account_id: uuidSchema,
            // First name and initials.
            name: { type: 'string' },
            currency: { type: 'string' },
          },
        },
      },
      problems: [payeeNotFound, problems.tooManyRequests],
      audits: { nothing: 'payers learn no more of a payee than they need, and may not ask often' },
      handle: async ({ query, caller, traceparent }, { callFor }) => {
        const payee = await showPayee(readAsked(query), caller.userId, { callFor, traceparent })
        if (payee) return { status: 200, body: payee }
        return problem(
          payeeNotFound,
          'No open account has this number, or nobody with an open account in this currency has confirmed this address.',
        )
      },
    }),
  ],
})

/** Throws a ProblemError (400) unless there is exactly one of a number, with its check digits, and an
 * address. */
function readAsked({
  number,
  email,
  currency,
}: {
  number?: string
  email?: string
  currency: string
}): AskedPayee {
  if (number !== undefined && email !== undefined)
    throw invalidQuery('/email', 'can’t be given with a number')
  if (email !== undefined) return { email, currency }
  if (number === undefined) throw invalidQuery('/number', 'or email is required')
  // The whole number leaves 1 when divided by 97 (ISO 7064, MOD 97-10).
  if (Number(number) % 97 !== 1) throw invalidQuery('/number', 'has a wrong digit')
  return { number }
}

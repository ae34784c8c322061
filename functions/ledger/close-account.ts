import { accountClosed } from '../../eventing/contracts/account.closed.ts'
import { operation, route } from '../host/operation.ts'
import { ProblemError, problems } from '../host/problems.ts'
import { idParams, reasonText } from '../host/schema.ts'
import { accountSchema } from './accounts/account.ts'
import { changeAccount, changeProblems, statusEvent } from './accounts/change-account.ts'

export default operation({
  name: 'close-account',
  context: 'ledger',
  summary: 'Closes an account for good: customers their own, operators anybody’s',
  routes: [
    route({
      method: 'POST',
      path: '/accounts/{id}/close',
      who: 'signed-in',
      summary: 'Close an open account with a balance of zero and no holds; operators must give a reason',
      params: idParams,
      body: { type: 'object', additionalProperties: false, properties: { reason: reasonText } },
      answers: { 200: accountSchema },
      problems: [
        changeProblems['account-not-found'],
        changeProblems['account-closed'],
        changeProblems['account-frozen'],
        changeProblems['account-not-empty'],
        changeProblems['account-has-holds'],
      ],
      idempotent: true,
      handle: async (request, tools) => {
        const { body, caller } = request
        if (caller.role === 'operator' && body.reason === undefined) {
          throw new ProblemError(problems.invalidInput, 'An operator must say why the account is closed.', {
            errors: [{ path: '/reason', message: 'is required from operators' }],
          })
        }
        const reason = body.reason ?? null
        return changeAccount('close-account', { action: 'close', reason }, request, tools, {
          contract: accountClosed,
          ...statusEvent(reason, caller.userId),
        })
      },
    }),
  ],
})

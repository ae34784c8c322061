import { accountUnfrozen } from '../../eventing/contracts/account.unfrozen.ts'
import { operation, route } from '../host/operation.ts'
import { idParams, reasonText } from '../host/schema.ts'
import { accountSchema } from './accounts/account.ts'
import { changeAccount, changeProblems, statusEvent } from './accounts/change-account.ts'

export default operation({
  name: 'unfreeze-account',
  context: 'ledger',
  summary: 'Unfreezes an account, which then pays and receives money again',
  routes: [
    route({
      method: 'POST',
      path: '/accounts/{id}/unfreeze',
      who: 'operator',
      summary: 'Unfreeze a frozen account',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['reason'],
        properties: { reason: reasonText },
      },
      answers: { 200: accountSchema },
      problems: [
        changeProblems['account-not-found'],
        changeProblems['account-closed'],
        changeProblems['account-not-frozen'],
      ],
      idempotent: true,
      handle: (request, tools) => {
        const { reason } = request.body
        return changeAccount('unfreeze-account', { action: 'unfreeze', reason }, request, tools, {
          contract: accountUnfrozen,
          ...statusEvent(reason, request.caller.userId),
        })
      },
    }),
  ],
})

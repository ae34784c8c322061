import { accountFrozen } from '../../eventing/contracts/account.frozen.ts'
import { operation, route } from '../host/operation.ts'
import { idParams, reasonText } from '../host/schema.ts'
import { accountSchema } from './accounts/account.ts'
import { changeAccount, changeProblems, statusEvent } from './accounts/change-account.ts'

export default operation({
  name: 'freeze-account',
  context: 'ledger',
  summary: 'Freezes an account: until it is unfrozen, it neither pays nor receives money',
  routes: [
    route({
      method: 'POST',
      path: '/accounts/{id}/freeze',
      who: 'operator',
      summary: 'Freeze an account; what is on its way to or from it will be refused',
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
        changeProblems['account-frozen'],
      ],
      idempotent: true,
      handle: (request, tools) => {
        const { reason } = request.body
        return changeAccount('freeze-account', { action: 'freeze', reason }, request, tools, {
          contract: accountFrozen,
          ...statusEvent(reason, request.caller.userId),
        })
      },
    }),
  ],
})

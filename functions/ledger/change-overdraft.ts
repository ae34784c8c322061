import { overdraftChanged } from '../../eventing/contracts/overdraft.changed.ts'
import { operation, route } from '../host/operation.ts'
import { idParams } from '../host/schema.ts'
import { accountSchema, findAccount } from './accounts/account.ts'
import { changeAccount, changeProblems, reasonSchema } from './accounts/change-account.ts'
import { accountNotFound } from './posting/refusals.ts'
import { amountSchema, formatAmount, readAmount } from '../host/values/money.ts'

export default operation({
  name: 'change-overdraft',
  context: 'ledger',
  summary: 'Changes how far below zero an account may go',
  routes: [
    route({
      method: 'PATCH',
      path: '/accounts/{id}',
      who: 'operator',
      summary: 'Change the overdraft limit; it can’t be less than what is used of it',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['overdraft_limit', 'reason'],
        properties: { overdraft_limit: amountSchema, reason: reasonSchema },
      },
      answers: { 200: accountSchema },
      problems: [
        changeProblems['account-not-found'],
        changeProblems['account-closed'],
        changeProblems['overdraft-in-use'],
      ],
      idempotent: true,
      handle: async (request, tools) => {
        const { params, body, caller } = request
        // The currency says how to read the limit. It never changes, so no lock is needed yet.
        const account = await findAccount(tools.db, params.id, caller)
        if (!account) return accountNotFound()
        const { currency } = account
        const overdraftLimit = readAmount(body.overdraft_limit, currency, '/overdraft_limit', { zero: true })
        const asked = { action: 'change-overdraft', reason: body.reason, overdraftLimit } as const
        return changeAccount('change-overdraft', asked, request, tools, {
          contract: overdraftChanged,
          data: ({ account: { id, user_id }, at, from }) => ({
            account_id: id,
            user_id,
            currency,
            overdraft_limit: formatAmount(overdraftLimit, currency),
            previous_overdraft_limit: formatAmount(BigInt(from), currency),
            reason: body.reason,
            changed_by: caller.userId,
            timestamp: at.toISOString(),
          }),
        })
      },
    }),
  ],
})

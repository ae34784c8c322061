import { overdraftChanged } from '../../eventing/contracts/overdraft.changed.ts'
import { operation, route } from '../host/operation.ts'
import { ProblemError, problems } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { RouteRequest } from '../host/route-request.ts'
import { idParams, orNull, reasonText } from '../host/schema.ts'
import type { Tools } from '../host/tools.ts'
import { amountOrZeroSchema, formatAmount, readAmount } from '../host/values/money.ts'
import { accountNameSchema, accountSchema, findAccount } from './accounts/account.ts'
import { changeAccount, changeProblems } from './accounts/change-account.ts'
import { renameAccount } from './accounts/rename-account.ts'
import { accountNotFound } from './posting/refusals.ts'

interface AskedPatch {
  name?: string | null
  overdraft_limit?: string | number
  reason?: string
}

type PatchRequest = RouteRequest<AskedPatch, unknown, { id: string }>

export default operation({
  name: 'change-account',
  context: 'ledger',
  summary: 'Changes what an account is called, or how far below zero it may go',
  routes: [
    route({
      method: 'PATCH',
      path: '/accounts/{id}',
      who: 'signed-in',
      summary:
        'Change the name (null: none), or, for operators, the overdraft limit with a reason; ' +
        'the limit can’t be less than what is used of it',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        'x-contract': {
          oneOf: [
            { required: ['name'], maxProperties: 1 },
            { required: ['overdraft_limit', 'reason'], maxProperties: 2 },
          ],
        },
        properties: {
          name: { ...orNull(accountNameSchema), 'x-personal': true },
          overdraft_limit: amountOrZeroSchema,
          reason: reasonText,
        },
      },
      answers: { 200: accountSchema },
      problems: [
        problems.forbidden,
        changeProblems['account-not-found'],
        changeProblems['account-closed'],
        changeProblems['overdraft-in-use'],
      ],
      idempotent: true,
      handle: (request, tools) => {
        const change = readChange(request)
        return 'name' in change
          ? renameAccount('change-account', change.name, request, tools)
          : setLimit(request, change, tools)
      },
    }),
  ],
})

/** Reads which of the two is asked for. Throws a ProblemError: 403 if a customer asks for another limit, 400
 * if it is neither, or both. */
function readChange({
  body,
  caller,
}: PatchRequest): { name: string | null } | Required<Omit<AskedPatch, 'name'>> {
  const { name, overdraft_limit, reason } = body
  const isOfLimit = overdraft_limit !== undefined || reason !== undefined
  if (isOfLimit && caller.role !== 'operator')
    throw new ProblemError(problems.forbidden, 'Only operators may change an overdraft limit.')
  if (!isOfLimit && name !== undefined) return { name }
  if (name !== undefined) throw invalid('/name', 'must be changed by a request of its own')
  if (overdraft_limit === undefined)
    throw invalid('/overdraft_limit', isOfLimit ? 'is required with a reason' : 'or name is required')
  if (reason === undefined) throw invalid('/reason', 'is required with overdraft_limit')
  return { overdraft_limit, reason }
}

const invalid = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, `${path.slice(1)} ${message}.`, { errors: [{ path, message }] })

async function setLimit(
  request: PatchRequest,
  { overdraft_limit: limit, reason }: Required<Omit<AskedPatch, 'name'>>,
  tools: Tools,
): Promise<Reply> {
  const { params, caller } = request
  // The currency says how to read the limit. It never changes, so no lock is needed yet.
  const account = await findAccount(tools.db, params.id, caller)
  if (!account) return accountNotFound()
  const { currency } = account
  const overdraftLimit = readAmount(limit, currency, '/overdraft_limit', { zero: true })
  const asked = { action: 'change-overdraft', reason, overdraftLimit } as const
  return changeAccount('change-account', asked, request, tools, {
    contract: overdraftChanged,
    data: ({ account: { id, user_id }, at, from }) => ({
      account_id: id,
      user_id,
      currency,
      overdraft_limit: formatAmount(overdraftLimit, currency),
      previous_overdraft_limit: formatAmount(BigInt(from), currency),
      reason,
      changed_by: caller.userId,
      timestamp: at.toISOString(),
    }),
  })
}

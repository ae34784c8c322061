import { UnavailableError } from '../../../eventing/unavailable.ts'
import { define, problem, type ProblemType } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { OnBehalf } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'

/** Refusals of the ledger that no waiting changes. What it says about balances, limits and frozen accounts
 * may be different when the money is to move. */
export const finalRefusals = {
  'account-not-found': define('account-not-found', 404, 'There is no such account'),
  'account-closed': define('account-closed', 409, 'The account is closed'),
  'currency-mismatch': define('currency-mismatch', 422, 'The account has another currency'),
  'same-account': define('same-account', 422, 'Both accounts are the same'),
} as const satisfies Record<string, ProblemType>

const details: Record<keyof typeof finalRefusals, string> = {
  'account-not-found': 'The account does not exist, or you may not use it for this.',
  'account-closed': 'A closed account can neither pay nor receive money.',
  'currency-mismatch': 'Every account involved must have the currency given.',
  'same-account': 'The money must go to another account.',
}

interface IntendedTransfer extends OnBehalf {
  body: { account_id: string; to_account_id: string; amount: string | number; currency: string }
}

/** Asks the ledger, with the caller's own token, whether it would refuse a transfer for good. Returns that
 * refusal; undefined if there is none. Throws an UnavailableError if the ledger does not answer. */
export async function checkTransfer(
  { call }: Pick<Tools, 'call'>,
  { body, caller, client, traceparent }: IntendedTransfer,
): Promise<Reply | undefined> {
  const { account_id, to_account_id, amount, currency } = body
  const answer = await call('dry-run', {
    method: 'POST',
    path: '/transactions/dry-run',
    token: caller.token,
    body: { type: 'transfer', account_id, to_account_id, amount, currency },
    client,
    traceparent,
  })
  const { refusal } = (answer.body ?? {}) as { refusal?: string | null }
  if (answer.status !== 200 || refusal === undefined)
    throw new UnavailableError(`the ledger’s dry run answered ${answer.status}`)
  if (refusal === null || !isFinal(refusal)) return undefined
  return problem(finalRefusals[refusal], details[refusal])
}

const isFinal = (refusal: string): refusal is keyof typeof finalRefusals => refusal in finalRefusals

import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Reply } from '../../host/reply.ts'
import type { Tools } from '../../host/tools.ts'
import type { CreateRequest } from './create.ts'
import { creditRefusal } from './refusals.ts'

/** Asks the ledger, with the customer's own token, whether it would refuse the money of a top-up. When the
 * provider has it, that would be too late. Returns the refusal; undefined if there is none. Throws an
 * UnavailableError if the ledger does not answer. */
export async function checkCredit(
  { body, caller, client, traceparent }: CreateRequest,
  { call }: Pick<Tools, 'call'>,
): Promise<Reply | undefined> {
  const { account_id, amount, currency } = body
  const answer = await call('dry-run', {
    ...{ method: 'POST', path: '/transactions/dry-run', token: caller.token, client, traceparent },
    body: { type: 'deposit', account_id, amount, currency },
  })
  const { refusal } = (answer.body ?? {}) as { refusal?: string | null }
  if (answer.status !== 200 || refusal === undefined)
    throw new UnavailableError(`the ledger’s dry run answered ${answer.status}`)
  return refusal === null ? undefined : creditRefusal(refusal)
}

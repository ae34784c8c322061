import { UnavailableError } from '../../../eventing/unavailable.ts'
import { ProblemError, problems } from '../../host/problems.ts'
import type { OnBehalf } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'

/** Resolves with the id of the user who gets an upload: the caller, or the user whom an operator has named.
 * Rejects with a ProblemError if a customer names somebody (403), or if there is no such user (404). Asks the
 * function `users` with the caller's own token; rejects with an UnavailableError if it does not answer. */
export async function ownerOf(
  named: string | undefined,
  { caller, client, traceparent }: OnBehalf,
  { call }: Pick<Tools, 'call'>,
): Promise<string> {
  if (named === undefined) return caller.userId
  if (caller.role !== 'operator')
    throw new ProblemError(problems.forbidden, 'Only operators may give user_id.')
  const userId = named.toLowerCase()
  // A caller's own existence needs no check.
  if (userId === caller.userId) return userId
  const asked = { path: `/users/${userId}`, token: caller.token, client, traceparent }
  const { status } = await call('users', asked)
  if (status === 404) throw new ProblemError(problems.notFound, `There is no user ${userId}.`)
  if (status !== 200) throw new UnavailableError(`users answered ${status}`)
  return userId
}

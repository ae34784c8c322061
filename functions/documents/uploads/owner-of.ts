import { ProblemError, problems } from '../../host/problems.ts'
import type { OnBehalf } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'
import { userExists } from '../../host/user-exists.ts'

/** Resolves with the id of the user who gets an upload: the caller, or the user whom an operator has named.
 * Rejects with a ProblemError if a customer names somebody (403), or if there is no such user (404); with an
 * UnavailableError if the function `users` does not answer. */
export async function ownerOf(
  named: string | undefined,
  request: OnBehalf,
  tools: Pick<Tools, 'call'>,
): Promise<string> {
  const { caller } = request
  if (named === undefined) return caller.userId
  if (caller.role !== 'operator')
    throw new ProblemError(problems.forbidden, 'Only operators may give user_id.')
  const userId = named.toLowerCase()
  if (!(await userExists(userId, request, tools)))
    throw new ProblemError(problems.notFound, `There is no user ${userId}.`)
  return userId
}

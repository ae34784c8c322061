import { ProblemError, problems } from './problems.ts'
import type { Caller } from './route-request.ts'

/** Returns whose things a list shows: the caller's; to an operator those of the user `asked`, or everybody's
 * (undefined). Throws a ProblemError (404) if a customer asks for another's, whether or not that user
 * exists. */
export function ownerAsked(
  caller: Pick<Caller, 'userId' | 'role'>,
  asked: string | undefined,
): string | undefined {
  const owner = asked?.toLowerCase()
  if (caller.role === 'operator') return owner
  if (owner !== undefined && owner !== caller.userId)
    throw new ProblemError(problems.notFound, 'There is no user with this id.')
  return caller.userId
}

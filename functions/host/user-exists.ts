import { UnavailableError } from '../../eventing/unavailable.ts'
import type { OnBehalf } from './route-request.ts'
import type { Tools } from './tools.ts'

/** Asks the function `users` whether a user exists, with the caller's own token. A caller's own existence
 * needs no check. Rejects with an UnavailableError if `users` does not answer. */
export async function userExists(
  userId: string,
  { caller, client, traceparent }: OnBehalf,
  { call }: Pick<Tools, 'call'>,
): Promise<boolean> {
  if (userId === caller.userId) return true
  const { status } = await call('users', {
    path: `/users/${userId}`,
    token: caller.token,
    client,
    traceparent,
  })
  if (status === 200) return true
  if (status === 404) return false
  throw new UnavailableError(`users answered ${status}`)
}

import type { Reply } from '../host/reply.ts'
import type { Tools } from '../host/tools.ts'
import { isPassword } from './password.ts'
import { tooManyAttempts, wrongPassword } from './refusals.ts'
import { beginAttempt } from './throttle.ts'
import type { UserRow } from './user.ts'

/** Whoever has a stolen access token must not get the account for good. So users change their own address and
 * password with their password, and a guess counts as a failed log-in. Returns the hash that was right, or
 * the refusal. */
export async function provePassword(
  user: Pick<UserRow, 'email' | 'password_hash'>,
  given: { password: string | undefined; address: string },
  { db, config }: Tools,
): Promise<{ passwordHash: string } | Reply> {
  if (given.password === undefined) return wrongPassword()
  const attempt = await beginAttempt(db, { email: user.email, address: given.address }, config)
  if ('waitSeconds' in attempt) return tooManyAttempts(attempt.waitSeconds)
  if (!user.password_hash || !(await isPassword(user.password_hash, given.password))) return wrongPassword()
  await db.transaction(attempt.succeeded)
  return { passwordHash: user.password_hash }
}

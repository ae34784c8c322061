import type { Transaction } from '../../host/database/database.ts'
import { claimsOf } from '../../host/http/claims.ts'
import { unauthenticated } from '../../host/http/tokens.ts'
import type { Caller } from '../../host/route-request.ts'

/** Rejects with a ProblemError (401) if the caller's token was issued before a new owner of the address set a
 * password. Such a token stays valid for minutes, and its holder may be somebody else: they must neither
 * resume a paused web hook or order nor make one that outlives the token. */
export async function requireCurrentOwner(tx: Transaction, { userId, token }: Caller): Promise<void> {
  const [owner] = await tx.query<{ renewed_at: Date | null }>({
    name: 'web-hook-owner-renewed',
    text: 'select renewed_at from web_hook_owners where user_id = $1',
    values: [userId],
  })
  // A token's time has whole seconds.
  if (
    owner?.renewed_at &&
    claimsOf<{ iat: number }>(token).iat < Math.floor(owner.renewed_at.getTime() / 1000)
  )
    throw unauthenticated('The password was changed since. Log in again.', { tokenSent: true })
}

import type { Transaction } from '../../host/database/database.ts'
import { unauthenticated } from '../../host/http/tokens.ts'
import type { Caller } from '../../host/route-request.ts'

/** Rejects with a ProblemError (401) if the caller's token is older than the password of the first who showed
 * that the email address is theirs. It stays valid for minutes, and whoever has it may be somebody else: they
 * must neither resume what was paused nor make what outlives the token. */
export async function requireCurrentOwner(tx: Transaction, { userId, token }: Caller): Promise<void> {
  const [owner] = await tx.query<{ renewed_at: Date | null }>({
    name: 'web-hook-owner-renewed',
    text: 'select renewed_at from web_hook_owners where user_id = $1',
    values: [userId],
  })
  // Tokens have whole seconds.
  if (owner?.renewed_at && issuedAt(token) < Math.floor(owner.renewed_at.getTime() / 1000))
    throw unauthenticated('The password was changed since. Log in again.', { tokenSent: true })
}

/** Reads the claim `iat` of a token that was verified. */
const issuedAt = (token: string): number =>
  (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { iat: number }).iat

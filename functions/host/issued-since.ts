import { claimsOf } from './http/claims.ts'
import { unauthenticated } from './http/tokens.ts'
import type { Caller } from './route-request.ts'

/** Returns when the caller's token was issued: a whole second. */
export const issuedAt = ({ token }: Caller): Date => new Date(claimsOf<{ iat: number }>(token).iat * 1000)

/** Throws a ProblemError (401) if the caller's token was issued before a new owner of their address set a
 * password, at `renewedAt`. Such a token stays valid for minutes, and its holder may be somebody else: they
 * must leave nothing that outlives it. */
export function requireIssuedSince(caller: Caller, renewedAt: Date | null | undefined): void {
  if (!renewedAt) return
  // What was issued in the same second counts as the new owner's.
  if (issuedAt(caller).getTime() + 1000 <= renewedAt.getTime())
    throw unauthenticated('The password was changed since. Log in again.', { tokenSent: true })
}

import { claimsOf } from './http/claims.ts'
import { unauthenticated } from './http/tokens.ts'
import type { Caller } from './route-request.ts'

/** Throws a ProblemError (401) if the caller's token was issued before a new owner of their address set a
 * password, at `renewedAt`. Such a token stays valid for minutes, and its holder may be somebody else: they
 * must leave nothing that outlives it. */
export function requireIssuedSince({ token }: Caller, renewedAt: Date | null | undefined): void {
  if (!renewedAt) return
  // A token's time has whole seconds.
  if (claimsOf<{ iat: number }>(token).iat < Math.floor(renewedAt.getTime() / 1000))
    throw unauthenticated('The password was changed since. Log in again.', { tokenSent: true })
}

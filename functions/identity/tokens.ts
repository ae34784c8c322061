import type { Caller } from '../host/route-request.ts'
import { ACCESS_TOKEN_LIFE_SECONDS, ALGORITHM, AUDIENCE, ISSUER, TOKEN_TYPE } from '../host/http/tokens.ts'

/** An access token (RFC 9068) for `userId`, which every function can verify with the public key of the same
 * `kid`. `signingKey` is a private Ed25519 JWK; `now` is in milliseconds since 1970.
 *
 * Nobody is asked about it while it lives, so it holds the role of the moment at which it was signed. */
export async function signAccessToken(
  { userId, role, sessionId }: { userId: string; role: Caller['role']; sessionId: string },
  signingKey: Record<string, unknown>,
  now: number = Date.now(),
): Promise<string> {
  const { kid } = signingKey
  if (typeof kid !== 'string')
    throw new Error('JWT_SIGNING_KEY must have a kid, the one of its public key in JWKS')
  const { importJWK, SignJWT } = await import('jose')
  const issuedAt = Math.floor(now / 1000)
  return new SignJWT({ role, sid: sessionId })
    .setProtectedHeader({ alg: ALGORITHM, typ: TOKEN_TYPE, kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(userId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ACCESS_TOKEN_LIFE_SECONDS)
    .sign(await importJWK(signingKey, ALGORITHM))
}

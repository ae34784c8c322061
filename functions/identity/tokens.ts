import { importJWK, SignJWT } from 'jose'
import type { Caller } from '../host/route-request.ts'
import {
  ACCESS_TOKEN_LIFE_SECONDS,
  ALGORITHM,
  AUDIENCE,
  ISSUER,
  TOKEN_TYPE,
} from '../host/http/access-token.ts'

/** Returns a signed access token (RFC 9068) for `userId`. Every function can verify it with the public key of
 * the same `kid`. `signingKey` is a private Ed25519 JWK; `now` is in milliseconds since 1970. Throws if the
 * key has no `kid`. The library makes this file large, so functions load it when they first sign a token.
 *
 * The token is verified without asking anybody, so it holds the role that the user had when it was signed. */
export async function signAccessToken(
  { userId, role, sessionId }: { userId: string; role: Caller['role']; sessionId: string },
  signingKey: Record<string, unknown>,
  now: number = Date.now(),
): Promise<string> {
  const { kid } = signingKey
  if (typeof kid !== 'string')
    throw new Error('JWT_SIGNING_KEY must have a kid: that of its public key in JWKS')
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

import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose'
import { ALGORITHM, AUDIENCE, ISSUER, TOKEN_TYPE } from './access-token.ts'

/** The claims of a valid token, or why it is not valid. */
export type CheckedToken = JWTPayload | 'expired' | 'invalid'

/** Creates a check of access tokens with the library for tokens, at a given moment. tokens.ts loads this file
 * at the first token. The build makes a bundle of it that holds only what is used of the library.
 *
 * The key comes from this set alone. The header's jwk, jku and x5u are never read. */
export function createTokenCheck(
  jwks: JSONWebKeySet,
): (token: string, currentDate: Date) => Promise<CheckedToken> {
  const keys = createLocalJWKSet(jwks)
  return (token, currentDate) =>
    checked(async () => {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TOKEN_TYPE,
        requiredClaims: ['exp', 'iat', 'sub', 'role', 'sid'],
        currentDate,
      })
      return payload
    })
}

/** Runs a check of the library. Rejects only for what is no fault of the token. */
export async function checked(check: () => Promise<CheckedToken>): Promise<CheckedToken> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof errors.JWTExpired) return 'expired'
    // Only a forger could use the name of the check that failed.
    if (error instanceof errors.JOSEError) return 'invalid'
    throw error
  }
}

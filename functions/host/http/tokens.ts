import type { Caller } from '../route-request.ts'
import { ProblemError, problems } from '../problems.ts'

/** What every access token of the bank says of itself (RFC 9068). */
export const ISSUER = 'https://microbank.dev'
export const AUDIENCE = 'microbank'
export const TOKEN_TYPE = 'at+jwt'
/** The one algorithm that is accepted: Ed25519 under its JOSE name (RFC 8037). */
export const ALGORITHM = 'EdDSA'
/** Seconds. Nobody is asked about a token while it lives, so this is also how long a log-out, a deleted user
 * or a changed role can go unnoticed. */
export const ACCESS_TOKEN_LIFE_SECONDS = 15 * 60

export interface JwkSet {
  keys: Record<string, unknown>[]
}

export interface TokenVerifier {
  /** Whose token it is. Throws a ProblemError (401 with WWW-Authenticate) for any token that isn't ours,
   * isn't an access token, or isn't valid now. */
  verify(token: string): Promise<Caller>
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const CACHED_TOKENS_MAX = 5_000

/** Verifies access tokens against public keys, of which there may be several while keys are rotated: the
 * token's `kid` chooses. Asks nobody, and loads its library at the first token.
 *
 * Throws at once where the set holds anything but public Ed25519 keys with a `kid` of their own.
 * `now` gives milliseconds since 1970. */
export function createTokenVerifier(
  jwks: JwkSet,
  { now = Date.now, cachedMax = CACHED_TOKENS_MAX }: { now?: () => number; cachedMax?: number } = {},
): TokenVerifier {
  checkKeys(jwks)
  // Checking a signature costs more than all else that the host does for a request. Only tokens that were
  // found good are kept, so rubbish can't push them out.
  const verified = new Map<string, { caller: Caller; expiresAtMs: number }>()
  let verifySignature: ReturnType<typeof loadVerifier> | undefined

  const remember = (caller: Caller, expiresAtMs: number): void => {
    const oldest = verified.size >= cachedMax ? verified.keys().next().value : undefined
    if (oldest !== undefined) verified.delete(oldest)
    verified.set(caller.token, { caller, expiresAtMs })
  }

  return {
    async verify(token) {
      const known = verified.get(token)
      // A Map keeps the order of insertion: taking an entry out and putting it back makes it the newest.
      if (known) verified.delete(token)
      if (known && known.expiresAtMs > now()) {
        verified.set(token, known)
        return known.caller
      }
      verifySignature ??= loadVerifier(jwks)
      const { caller, expiresAtMs } = await (await verifySignature)(token, new Date(now()))
      remember(caller, expiresAtMs)
      return caller
    },
  }
}

/** The 401 answer. Its header says `invalid_token` where a token was sent (RFC 6750, section 3). */
export function unauthenticated(detail: string, { tokenSent }: { tokenSent: boolean }): ProblemError {
  const challenge = `Bearer realm="microbank"${tokenSent ? ', error="invalid_token"' : ''}`
  return new ProblemError(problems.unauthenticated, detail, { headers: { 'www-authenticate': challenge } })
}

async function loadVerifier(jwks: JwkSet) {
  const { createLocalJWKSet, errors, jwtVerify } = await import('jose')
  // The key comes from this set alone: whatever the header says in jwk, jku or x5u is never looked at.
  const keys = createLocalJWKSet(jwks as unknown as Parameters<typeof createLocalJWKSet>[0])

  return async (token: string, currentDate: Date): Promise<{ caller: Caller; expiresAtMs: number }> => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TOKEN_TYPE,
        requiredClaims: ['exp', 'iat', 'sub', 'role', 'sid'],
        currentDate,
      })
      const { sub, role, exp } = payload
      if (!sub || !UUID.test(sub) || (role !== 'customer' && role !== 'operator')) {
        throw new errors.JWTInvalid('a claim is not what the bank writes')
      }
      return { caller: { userId: sub, role, token }, expiresAtMs: exp! * 1000 }
    } catch (error) {
      if (error instanceof errors.JWTExpired) {
        throw unauthenticated('The access token has expired.', { tokenSent: true })
      }
      // Which check failed is of use only to somebody who is forging one.
      if (error instanceof errors.JOSEError) {
        throw unauthenticated('The access token is not valid.', { tokenSent: true })
      }
      throw error
    }
  }
}

function checkKeys({ keys }: JwkSet): void {
  const ids = new Set<unknown>()
  for (const { kty, crv, kid, d } of keys) {
    if (kty !== 'OKP' || crv !== 'Ed25519') throw new Error('JWKS must hold Ed25519 keys only (kty OKP)')
    if (d !== undefined) throw new Error('JWKS must hold public keys only, and one of them is private')
    if (typeof kid !== 'string' || ids.has(kid))
      throw new Error('every key in JWKS must have a kid of its own')
    ids.add(kid)
  }
}

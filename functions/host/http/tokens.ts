import type { Caller } from '../route-request.ts'
import { ProblemError, problems } from '../problems.ts'
import { SUBJECT } from './access-token.ts'

export interface JwkSet {
  keys: Record<string, unknown>[]
}

export interface TokenVerifier {
  /** Returns the caller that the token names. Throws a ProblemError (401 with WWW-Authenticate) if it isn't
   * ours, isn't an access token, or isn't valid now. */
  verify(token: string): Promise<Caller>
}

const CACHED_TOKENS_MAX = 5_000

/** Creates a verifier of access tokens. It uses public keys and asks nobody. There may be several keys during
 * a key rotation: the token's `kid` chooses. Its library is loaded at the first token.
 *
 * Throws at once if the set holds anything but public Ed25519 keys, each with its own `kid`. `now` gives
 * milliseconds since 1970. `cachedMax` limits how many verified tokens are remembered. */
export function createTokenVerifier(
  jwks: JwkSet,
  { now = Date.now, cachedMax = CACHED_TOKENS_MAX }: { now?: () => number; cachedMax?: number } = {},
): TokenVerifier {
  checkKeys(jwks, 'JWKS')
  // Checking a signature costs more than everything else the host does for a request. Only valid tokens are
  // remembered, so invalid ones can't push them out.
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
      // A Map keeps insertion order: deleting an entry and setting it again makes it the newest.
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

/** Returns the 401 answer. Its header says `invalid_token` if a token was sent (RFC 6750, section 3). */
export function unauthenticated(detail: string, { tokenSent }: { tokenSent: boolean }): ProblemError {
  const challenge = `Bearer realm="microbank"${tokenSent ? ', error="invalid_token"' : ''}`
  return new ProblemError(problems.unauthenticated, detail, { headers: { 'www-authenticate': challenge } })
}

async function loadVerifier(jwks: JwkSet) {
  const { createTokenCheck } = await import('./check-token.ts')
  const check = createTokenCheck(jwks as unknown as Parameters<typeof createTokenCheck>[0])

  return async (token: string, currentDate: Date): Promise<{ caller: Caller; expiresAtMs: number }> => {
    const claims = await check(token, currentDate)
    if (claims === 'expired') throw unauthenticated('The access token has expired.', { tokenSent: true })
    const { sub, role, exp } = claims === 'invalid' ? {} : claims
    // A claim may also have a value that the bank never writes.
    if (!sub || !SUBJECT.test(sub) || (role !== 'customer' && role !== 'operator') || exp === undefined)
      throw unauthenticated('The access token is not valid.', { tokenSent: true })
    return { caller: { userId: sub, role, token }, expiresAtMs: exp * 1000 }
  }
}

/** Throws unless the setting `name` holds public Ed25519 keys, each with its own `kid`. */
export function checkKeys({ keys }: JwkSet, name: string): void {
  const ids = new Set<unknown>()
  for (const { kty, crv, kid, d } of keys) {
    if (kty !== 'OKP' || crv !== 'Ed25519') throw new Error(`${name} must hold Ed25519 keys only (kty OKP)`)
    if (d !== undefined) throw new Error(`${name} must hold public keys only, and one of them is private`)
    if (typeof kid !== 'string' || ids.has(kid))
      throw new Error(`every key in ${name} must have a kid of its own`)
    ids.add(kid)
  }
}

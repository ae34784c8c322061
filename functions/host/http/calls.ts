import { claimsOf } from './claims.ts'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import type { CallingContext } from '../../contexts.ts'
import type { Caller } from '../route-request.ts'
import { ALGORITHM, SUBJECT } from './access-token.ts'
import {
  CALL_TOKEN_LIFE_SECONDS,
  CALL_TOKEN_TYPE,
  CLOCKS_DIFFER_SECONDS,
  scopeOf,
  sha256Of,
  type CalledRoute,
} from './call-token.ts'
import { checked } from './check-token.ts'
import type { JwkSet } from './tokens.ts'

/** A call as it came. */
export interface ReceivedCall extends CalledRoute {
  /** The contexts that may make it. */
  onBehalf: readonly CallingContext[]
  /** True if the route changes something once. Then the token is only for this Idempotency-Key. */
  isIdempotent: boolean
  idempotencyKey: string | string[] | undefined
}

/** Returns the customer for whom the call is made, and by whom; or why the token is not good for this very
 * call. */
export type VerifyCall = (token: string, call: ReceivedCall) => Promise<Caller | 'expired' | 'invalid'>

/** Creates a verifier of the tokens with which other contexts call `operation` on behalf of customers. Each
 * key in the set has an `iss`: the context whose key it is. So no context can sign in the name of another.
 * Nothing is remembered: each token is made for one call. `now` gives milliseconds since 1970. Functions load
 * this file at the first such call. */
export function createCallVerifier(
  jwks: JwkSet,
  operation: string,
  { now = Date.now }: { now?: () => number } = {},
): VerifyCall {
  const keys = createLocalJWKSet(jwks as unknown as JSONWebKeySet)
  const issuers = new Map(jwks.keys.map(({ kid, iss }) => [kid, iss]))

  return async (token, call) => {
    const claims = await checked(async () => {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        algorithms: [ALGORITHM],
        issuer: [...call.onBehalf],
        audience: operation,
        typ: CALL_TOKEN_TYPE,
        requiredClaims: ['exp', 'iat', 'sub', 'scope', 'jti'],
        maxTokenAge: CALL_TOKEN_LIFE_SECONDS,
        clockTolerance: CLOCKS_DIFFER_SECONDS,
        currentDate: new Date(now()),
      })
      return issuers.get(protectedHeader.kid) === payload.iss ? payload : 'invalid'
    })
    if (typeof claims === 'string') return claims
    const { sub, iss, scope, jti } = claims
    if (!sub || !SUBJECT.test(sub) || scope !== scopeOf(call) || !isFor(jti, call)) return 'invalid'
    // A context acts only for customers. It never gets the rights of an operator.
    return { userId: sub, role: 'customer', via: iss as CallingContext, token }
  }
}

/** Says whether a token is for a call with this body. The token must have been verified before. */
export function signsBody(token: string, body: unknown): boolean {
  return claimsOf<{ body?: unknown }>(token).body === sha256Of(body)
}

/** Whoever sees a token can only repeat its call, with its key, and a repeated call changes nothing. */
const isFor = (jti: string | undefined, { isIdempotent, idempotencyKey }: ReceivedCall): boolean =>
  !isIdempotent || (idempotencyKey !== undefined && jti === idempotencyKey)

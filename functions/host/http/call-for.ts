import { randomUUID } from 'node:crypto'
import { importJWK, SignJWT } from 'jose'
import type { Context } from '../../contexts.ts'
import { ALGORITHM } from './access-token.ts'
import {
  CALL_TOKEN_LIFE_SECONDS,
  CALL_TOKEN_TYPE,
  pathOf,
  scopeOf,
  sha256Of,
  type CalledRoute,
} from './call-token.ts'
import type { CallOptions, CallResponse, FunctionClient } from './call.ts'

export interface CustomerCall {
  method?: string
  path: string
  body?: unknown
  /** For every call that changes something: the same key at each repetition. The token is good only for this
   * key, so nobody who sees it can use it for something else. */
  idempotencyKey?: string
  /** As in CallOptions. */
  take?: CallOptions['take']
}

/** Calls the function `service` on behalf of one customer. Rejects with UnavailableError if it can't be
 * reached in time. */
export type CustomerClient = (service: string, call: CustomerCall) => Promise<CallResponse>

/** Makes clients that call other functions on behalf of customers who are not there. `client` is the signed
 * address of the customer's request, if the call is made for one. */
export type CallFor = (userId: string, traceparent: string, client?: string) => CustomerClient

/** Who calls: the context, with its private Ed25519 key as a JWK with a `kid`. */
export interface CallingParty {
  context: Context
  key: Record<string, unknown>
}

/** Creates `callFor` for a context. Functions load this file when they first make such a call. */
export const createCallFor =
  (call: FunctionClient, party: CallingParty): CallFor =>
  (userId, traceparent, client) =>
  async (service, { method = 'GET', path, body, idempotencyKey, take }) => {
    const id = idempotencyKey ?? randomUUID()
    const signed = { operation: service, userId, id, method, path: pathOf(path), body }
    const token = await signCallToken(signed, party)
    return call(service, { method, path, token, body, idempotencyKey, client, traceparent, take })
  }

interface SignedCall extends CalledRoute {
  operation: string
  userId: string
  /** The call's idempotency key, or anything random if it has none. */
  id: string
  body?: unknown
}

/** Returns the token of one call of an operation on behalf of a customer. `now` is in milliseconds since
 * 1970. */
export async function signCallToken(
  { operation, userId, id, body = {}, ...route }: SignedCall,
  { context, key }: CallingParty,
  now: number = Date.now(),
): Promise<string> {
  const { kid } = key
  if (typeof kid !== 'string') throw new Error('the key of a context must have a kid: that of its public key')
  const issuedAt = Math.floor(now / 1000)
  // As the one who is called gets it: JSON has no dates.
  const sent: unknown = JSON.parse(JSON.stringify(body))
  return new SignJWT({ scope: scopeOf(route), ...(route.method !== 'GET' && { body: sha256Of(sent) }) })
    .setProtectedHeader({ typ: CALL_TOKEN_TYPE, alg: ALGORITHM, kid })
    .setIssuer(context)
    .setAudience(operation)
    .setSubject(userId)
    .setJti(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + CALL_TOKEN_LIFE_SECONDS)
    .sign(await importJWK(key, ALGORITHM))
}

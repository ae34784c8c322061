import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { canonicalJson } from '../canonical-json.ts'
import type { AnyRoute, Operation } from '../operation.ts'
import type { IdempotencyKey } from '../route-request.ts'
import type { Caller } from '../route-request.ts'
import { ProblemError, problems } from '../problems.ts'
import type { Schema } from '../schema.ts'
import { isCallToken, pathOf } from './call-token.ts'
import type { VerifyCall } from './calls.ts'
import { unauthenticated, type TokenVerifier } from './tokens.ts'

/** Digits, as the contract has them. JavaScript also takes "0x10", "1e1" and " 5" for numbers. */
const INTEGER = /^-?\d+(\.0+)?$/

/** Returns the names of the parameters of a query that are integers. */
export function integersOf(schema: Schema | undefined): ReadonlySet<string> {
  const { properties = {} } = (schema ?? {}) as { properties?: Record<string, { type?: unknown }> }
  return new Set(Object.keys(properties).filter((name) => properties[name]!.type === 'integer'))
}

/** Parses the query to an object. A name that comes twice becomes a list, which no schema accepts; so does an
 * integer that is not one. Throws a ProblemError (400) for an escape that stands for no character. */
export function readQuery(search: string, integers: ReadonlySet<string>): Record<string, string | string[]> {
  if (search === '') return {}
  if (!isDecodable(search)) {
    throw new ProblemError(problems.invalidInput, 'The query has a % that begins no character in UTF-8.')
  }
  const parsed = new URLSearchParams(search)
  // Assigning one by one would not make `__proto__` a property, and so no schema would refuse it.
  return Object.fromEntries(
    [...new Set(parsed.keys())].map((name) => {
      const values = parsed.getAll(name)
      const isOne = values.length === 1 && (!integers.has(name) || INTEGER.test(values[0]!))
      return [name, isOne ? values[0]! : values]
    }),
  )
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined
  } catch {
    return false
  }
}

/** What verifies callers. */
export interface CallerVerifiers {
  /** Undefined only if no route needs a caller. */
  tokens: TokenVerifier | undefined
  /** Undefined if no route may be called on behalf of customers. */
  verifyCall?: VerifyCall | undefined
}

/** Returns the caller of a route that is not for anyone. Throws a ProblemError: 401 without a valid token,
 * 403 if their role is too low. */
export async function authenticate(
  request: IncomingMessage,
  route: Pick<AnyRoute, 'who' | 'onBehalf' | 'idempotent'>,
  { tokens, verifyCall }: CallerVerifiers,
): Promise<Caller> {
  if (!tokens) throw new Error('a route needs a caller, but there are no keys to verify tokens')
  const [scheme, token, ...rest] = (request.headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0) {
    throw unauthenticated('Send the header Authorization: Bearer <access token>.', { tokenSent: false })
  }
  const { who, onBehalf, idempotent: isIdempotent = false } = route
  if (onBehalf && verifyCall && isCallToken(token)) {
    const { method = '', url = '', headers } = request
    const idempotencyKey = headers['idempotency-key']
    const called = await verifyCall(token, {
      method,
      path: pathOf(url),
      onBehalf,
      isIdempotent,
      idempotencyKey,
    })
    if (typeof called !== 'string') return called
    const detail = called === 'expired' ? 'has expired' : 'is not valid for it'
    throw unauthenticated(`The token of this call ${detail}.`, { tokenSent: true })
  }
  const caller = await tokens.verify(token)
  if (who === 'operator' && caller.role !== 'operator') {
    throw new ProblemError(problems.forbidden, 'Only operators of the bank may do this.')
  }
  if (who === 'contexts') {
    throw new ProblemError(problems.forbidden, 'Only other parts of the bank may do this, for a customer.')
  }
  return caller
}

/** Says whether the header Prefer contains `respond-async` (RFC 7240). */
export function prefersAsync({ headers: { prefer } }: IncomingMessage): boolean {
  if (prefer === undefined) return false
  return String(prefer)
    .split(',')
    .some((preference) => preference.split(';')[0]?.trim().toLowerCase() === 'respond-async')
}

/** A key is stored with this much of the hash, because each transfer has one: 128 bits tell two requests
 * apart as surely as the key's own id. */
const HASH_BYTES = 16

const KEY = /^[\x21-\x7e]{1,255}$/

interface Addressed {
  operation: Operation
  route: AnyRoute
  caller: Caller | undefined
  body: unknown
  params: unknown
}

/** Returns the request's Idempotency-Key with the hash of its content; undefined if none was sent. Throws a
 * ProblemError (400) for a malformed key. */
export function idempotencyKey(
  request: IncomingMessage,
  { operation, route, caller, body, params }: Addressed,
): IdempotencyKey | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new ProblemError(problems.invalidInput, 'The header Idempotency-Key is not valid.', {
      errors: [{ path: '/headers/idempotency-key', message: 'must be 1 to 255 visible ASCII characters' }],
    })
  }
  const content = canonicalJson([
    operation.name,
    route.method,
    route.path,
    params,
    withoutSecrets(body, route.body),
  ])
  const requestHash = hash('sha256', content, 'buffer').subarray(0, HASH_BYTES)
  // Callers without a token can't be told apart, so their key is bound to the content: only a request with
  // the same content meets it. Somebody who guesses a key neither learns about another's request nor blocks
  // it. The operation must check the secret fields, because they are not in the hash.
  return { owner: ownerOf(caller) ?? `anyone with ${requestHash.toString('hex')}`, key, requestHash }
}

const ownerOf = (caller: Caller | undefined): string | undefined =>
  caller?.via ? `${caller.userId} via ${caller.via}` : caller?.userId

/** Removes fields marked `x-secret`: a fast hash of a password would be as good as the password. */
function withoutSecrets(body: unknown, schema: Schema | undefined): unknown {
  const { properties } = (schema ?? {}) as { properties?: Record<string, { 'x-secret'?: true }> }
  if (!properties || !Object.values(properties).some((property) => property['x-secret'])) return body
  return Object.fromEntries(
    Object.entries(body as object).filter(([name]) => !properties[name]?.['x-secret']),
  )
}

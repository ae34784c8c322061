import { PROBLEM_JSON, problemDetails, type FieldError, type ProblemType } from '../../eventing/problem.ts'
import type { Reply } from './reply.ts'

export type { FieldError, ProblemType }

/** Makes a type of problem. `name` is the last part of its URI. */
export const define = (name: string, status: number, title: string): ProblemType => ({
  name,
  status,
  title,
})

/** Refusals that any function may give. Those of one context are in that context's folder. */
export const problems = {
  invalidInput: define('invalid-input', 400, 'The request is not valid'),
  invalidJson: define('invalid-json', 400, 'The body is not JSON'),
  badRequest: define('bad-request', 400, 'The request is not valid HTTP'),
  unauthenticated: define('unauthenticated', 401, 'A valid access token is needed'),
  forbidden: define('forbidden', 403, 'Your role does not allow this'),
  notFound: define('not-found', 404, 'Not found'),
  methodNotAllowed: define('method-not-allowed', 405, 'Method not allowed'),
  notAcceptable: define('not-acceptable', 406, 'There is no such format'),
  requestTimeout: define('request-timeout', 408, 'The request took too long to arrive'),
  idempotencyKeyInUse: define('idempotency-key-in-use', 409, 'A request with this key is still running'),
  payloadTooLarge: define('payload-too-large', 413, 'The body is too large'),
  unsupportedMediaType: define('unsupported-media-type', 415, 'The body must be application/json'),
  idempotencyKeyReused: define('idempotency-key-reused', 422, 'This key was used for another request'),
  tooManyRequests: define('too-many-requests', 429, 'Too many requests'),
  headersTooLarge: define('headers-too-large', 431, 'The headers are too large'),
  internal: define('internal-error', 500, 'Something went wrong here'),
  eventRefused: define('event-refused', 500, 'The event cannot be processed'),
  badGateway: define('upstream-failed', 502, 'The function failed'),
  unavailable: define('unavailable', 503, 'Not available at the moment'),
  gatewayTimeout: define('upstream-timeout', 504, 'The function took too long'),
} as const satisfies Record<string, ProblemType>

/** Returns the answer for a refusal. `detail` says what was expected and what came. It must never hold
 * internals. */
export function problem(
  type: ProblemType,
  detail: string,
  extra: { errors?: FieldError[]; headers?: Record<string, string> } = {},
): Reply {
  return {
    status: type.status,
    headers: { 'content-type': PROBLEM_JSON, ...extra.headers },
    body: problemDetails(type, detail, extra.errors),
  }
}

const PROBLEM = Symbol.for('microbank.problem')

/** Thrown by the host's own parts, never by a bank rule: the request ends with this problem. */
export class ProblemError extends Error {
  readonly [PROBLEM] = true
  readonly reply: Reply

  /** What is loaded later is a bundle of its own, with a class of its own. */
  static override [Symbol.hasInstance](error: unknown): boolean {
    return typeof error === 'object' && error !== null && PROBLEM in error
  }

  constructor(...args: Parameters<typeof problem>) {
    super(args[1])
    this.reply = problem(...args)
  }
}

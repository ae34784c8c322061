import type { IPolicy } from 'cockatiel'
import { PROBLEM_JSON } from '../../../eventing/problem.ts'
import { RefusedForNowError, UnavailableError } from '../../../eventing/unavailable.ts'
import { problems } from '../problems.ts'
import { CLIENT_HEADER } from './client-address.ts'
import type { Metrics } from '../../../monitoring/metrics.ts'
import type { IncomingAnswer, Send, TakeBytes } from './send.ts'

export interface CallResponse {
  status: number
  headers: Record<string, string | string[] | undefined>
  /** Parsed JSON; undefined if the answer was not JSON. */
  body: unknown
}

export interface CallOptions {
  method?: string
  path: string
  /** Access token to send, usually the caller's own. */
  token?: string
  body?: unknown
  /** With it, a call that is no GET may be made several times, like a GET. */
  idempotencyKey?: string | undefined
  /** The address of the client for whom this call is made, signed: `client` of the request. */
  client?: string | undefined
  traceparent: string
  /** Begins to take the bytes of a good answer (2xx) as they come; then the answer has no body. It is called
   * before each attempt: what an earlier one took is void. */
  take?: (() => Promise<TakeBytes>) | undefined
}

/** Calls the function `service`. Rejects with UnavailableError if it can't be reached in time. */
export type FunctionClient = (service: string, options: CallOptions) => Promise<CallResponse>

// Must leave time for a cold start of the called function.
const TIMEOUT_MS = 10_000
// For all attempts together. Less than the caller's own limit, so that the caller can still answer.
const ALL_TRIES_MS = 20_000
// Statuses that mean "not now": the function is starting, draining or full.
const REPEATABLE = new Set([429, 502, 503, 504])

/** Returns a client for HTTP calls from function to function. Each attempt has a time-out. GETs, and calls
 * with an idempotency key, are tried three times, with growing pauses. A breaker per service stops them for
 * ten seconds after five failures in a row. A refusal for now that concerns one request (RefusedForNowError)
 * is neither repeated nor a failure of the service. */
export function createFunctionClient(
  send: Send,
  domain: string,
  metrics?: Pick<Metrics, 'count'>,
): FunctionClient {
  const call = createUncountedClient(send, domain)
  return (service, options) => {
    const count = (outcome: string) => metrics?.count('microbank_calls_total', `${service} ${outcome}`)
    const made = call(service, options)
    made.then(
      () => count('ok'),
      (error: Error) =>
        count(error instanceof RefusedForNowError ? 'refused' : isOpen(error.cause) ? 'open' : 'unavailable'),
    )
    return made
  }
}

/** Says whether a call was not made, because those before it failed. */
const isOpen = (cause: unknown): boolean =>
  (cause as { isBrokenCircuitError?: true })?.isBrokenCircuitError === true

function createUncountedClient(send: Send, domain: string): FunctionClient {
  const policies = new Map<string, IPolicy>()

  return async (
    service,
    { method = 'GET', path, token, body, idempotencyKey, client, traceparent, take },
  ) => {
    const policy = policies.get(service) ?? (await createPolicy())
    policies.set(service, policy)
    const deadline = performance.now() + ALL_TRIES_MS
    const attempt = async (): Promise<CallResponse> => {
      const given = await send({
        url: `http://${service}.${domain}${path}`,
        method,
        headers: {
          accept: 'application/json',
          traceparent,
          ...(client && { [CLIENT_HEADER]: client }),
          ...(idempotencyKey && { 'idempotency-key': idempotencyKey }),
          ...(token && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        take: await take?.(),
        timeoutMs: Math.max(1, Math.min(TIMEOUT_MS, deadline - performance.now())),
      })
      const { status, headers } = given
      if (REPEATABLE.has(status) && !isDecided(given))
        throw new UnavailableError(`${service} answered ${status}`)
      return { status, headers, body: readBody(service, given) }
    }
    const isRepeatable = method === 'GET' || idempotencyKey !== undefined
    const answer = await (isRepeatable ? guarded(policy, service, attempt) : attempt())
    // The function is there, so this is after the breaker.
    if (REPEATABLE.has(answer.status)) throw new RefusedForNowError(`${service} answered ${answer.status}`)
    return answer
  }
}

/** Whether a function refuses one request for now, for a reason of its own, such as a currency whose postings
 * are stopped, or a customer who asks too often. Other requests to it may succeed, and to repeat this one at
 * once is useless. */
function isDecided({ status, headers, body }: IncomingAnswer): boolean {
  if (headers['content-type'] !== PROBLEM_JSON) return false
  if (status === problems.tooManyRequests.status) return true
  if (status !== problems.unavailable.status) return false
  const [, name] = /"type":"[^"]*\/([^"/]+)"/.exec(body.toString()) ?? []
  return name !== undefined && name !== problems.unavailable.name
}

function readBody(service: string, { headers, body }: IncomingAnswer): unknown {
  if (!/[/+]json/.test(headers['content-type'] ?? '') || body.length === 0) return undefined
  try {
    return JSON.parse(body.toString()) as unknown
  } catch (cause) {
    throw new UnavailableError(`${service} said it answers with JSON, and did not`, { cause })
  }
}

async function guarded<T>(policy: IPolicy, service: string, attempt: () => Promise<T>): Promise<T> {
  const { BrokenCircuitError } = await import('cockatiel')
  try {
    return await policy.execute(attempt)
  } catch (error) {
    if (error instanceof BrokenCircuitError)
      throw new UnavailableError(`${service} has failed repeatedly and is not called for now`, {
        cause: error,
      })
    throw error
  }
}

async function createPolicy(): Promise<IPolicy> {
  const { circuitBreaker, ConsecutiveBreaker, ExponentialBackoff, handleType, retry, wrap } =
    await import('cockatiel')
  const unavailable = handleType(UnavailableError)
  return wrap(
    retry(unavailable, { maxAttempts: 2, backoff: new ExponentialBackoff({ initialDelay: 100 }) }),
    circuitBreaker(unavailable, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) }),
  )
}

import type { IPolicy } from 'cockatiel'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { IncomingAnswer, Send } from './send.ts'

export interface CallResponse {
  status: number
  headers: Record<string, string | string[] | undefined>
  /** Parsed JSON, or undefined where the answer had none. */
  body: unknown
}

export interface CallOptions {
  method?: string
  path: string
  /** Access token to act with, usually the caller's own. */
  token?: string
  body?: unknown
  traceparent: string
}

/** Calls the function `service`. Rejects with UnavailableError where it can't be reached in time. */
export type FunctionClient = (service: string, options: CallOptions) => Promise<CallResponse>

// A cold start of the function called must fit in.
const TIMEOUT_MS = 10_000
// All tries together: less than the caller itself may take, or it could not say who did not answer.
const ALL_TRIES_MS = 20_000
// Answers that say "not now": the function is starting, draining or full.
const REPEATABLE = new Set([429, 502, 503, 504])

/** HTTP calls from function to function: a time-out, three tries with growing pauses for what may be repeated
 * (GET), and a breaker per service that stops asking one which has failed five times in a row for ten
 * seconds. */
export function createFunctionClient(send: Send, domain: string): FunctionClient {
  const policies = new Map<string, IPolicy>()

  return async (service, { method = 'GET', path, token, body, traceparent }) => {
    const policy = policies.get(service) ?? (await createPolicy())
    policies.set(service, policy)
    const deadline = performance.now() + ALL_TRIES_MS
    const attempt = async (): Promise<IncomingAnswer> => {
      const answer = await send({
        url: `http://${service}.${domain}${path}`,
        method,
        headers: {
          accept: 'application/json',
          traceparent,
          ...(token && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        timeoutMs: Math.max(1, Math.min(TIMEOUT_MS, deadline - performance.now())),
      })
      if (REPEATABLE.has(answer.status)) throw new UnavailableError(`${service} answered ${answer.status}`)
      return answer
    }
    const answer = method === 'GET' ? await guarded(policy, service, attempt) : await attempt()
    const json = /[/+]json/.test(answer.headers['content-type'] ?? '')
    return {
      status: answer.status,
      headers: answer.headers,
      body: json ? (JSON.parse(answer.body.toString()) as unknown) : undefined,
    }
  }
}

async function guarded<T>(policy: IPolicy, service: string, attempt: () => Promise<T>): Promise<T> {
  const { BrokenCircuitError } = await import('cockatiel')
  try {
    return await policy.execute(attempt)
  } catch (error) {
    if (error instanceof BrokenCircuitError) throw new UnavailableError(`${service} fails`, { cause: error })
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

/** What the pages have asked the bank, for the drawer that shows it. */

/** One request and what became of it. */
export interface Call {
  /** Counts up from 1. */
  n: number
  method: string
  path: string
  startedAt: number
  /** Milliseconds until the head of the answer; undefined while it is awaited. */
  ms?: number
  /** 0 if no answer came. */
  status?: number
  idempotencyKey?: string
  replayed?: boolean
  traceId?: string
  /** The transaction that it made or was about. */
  transaction?: string
  /** What cold starts took, by function and phase; undefined if all functions ran already. */
  cold?: { service: string; phase: string; ms: number }[]
  body?: string
}

const KEPT = 50

/** Names of fields that hold secrets, such as `current_password`. Bodies with one are not kept. */
const SECRET = /"\w*(password|code|token|secret)\w*"\s*:/i

const TRANSACTION = /^\/api\/transactions\/([0-9a-f]{8}-[0-9a-f-]{27})(?=[/?]|$)/

let calls: readonly Call[] = []
let count = 0
const listeners = new Set<() => void>()

/** Returns the last calls, the newest first. The same array until something changes. */
export const callsNow = (): readonly Call[] => calls

/** Calls `listen` after each change. Returns what ends that. */
export function onCalls(listen: () => void): () => void {
  listeners.add(listen)
  return () => listeners.delete(listen)
}

export function clearCalls(): void {
  change([])
}

function change(next: readonly Call[]): void {
  calls = next
  for (const listen of listeners) listen()
}

/** As fetch(), and records the call. */
export async function recordedFetch(input: RequestInfo | URL, given: RequestInit = {}): Promise<Response> {
  const headers = new Headers(given.headers)
  const idempotencyKey = headers.get('idempotency-key')
  const call: Call = {
    n: ++count,
    method: given.method ?? 'GET',
    path: String(input),
    startedAt: Date.now(),
    ...(idempotencyKey && { idempotencyKey }),
    ...(typeof given.body === 'string' && !SECRET.test(given.body) && { body: given.body }),
  }
  change([call, ...calls].slice(0, KEPT))
  const begin = performance.now()
  const finish = (outcome: Partial<Call>): void => {
    const done = { ...call, ...outcome, ms: performance.now() - begin }
    change(calls.map((each) => (each.n === call.n ? done : each)))
  }
  try {
    const response = await fetch(input, given)
    finish(told(response, call.path))
    return response
  } catch (error) {
    finish({ status: 0 })
    throw error
  }
}

function told({ status, headers }: Response, path: string): Partial<Call> {
  const traceId = headers.get('traceparent')?.split('-')[1]
  const cold = startOf(headers.get('server-timing'))
  const [, transaction] = TRANSACTION.exec(headers.get('location') ?? path) ?? []
  return {
    status,
    replayed: headers.get('idempotency-replayed') === 'true',
    ...(traceId && { traceId }),
    ...(cold && { cold }),
    ...(transaction !== undefined && { transaction }),
  }
}

/** Reads the phases of cold starts from Server-Timing: `boot;dur=31.2;desc="accounts", db;dur=4`. */
function startOf(header: string | null): Call['cold'] {
  const phases = (header ?? '').split(',').flatMap((part) => {
    const [, phase, ms] = /^\s*([\w-]+)\s*;.*?dur=([\d.]+)/.exec(part) ?? []
    const service = /desc="?([\w-]+)/.exec(part)?.[1] ?? ''
    return phase === undefined ? [] : [{ service, phase, ms: Number(ms) }]
  })
  return phases.length > 0 ? phases : undefined
}

/** Returns the command that repeats a call with curl. Cookies stay out: sign in with curl for a token. */
export function curlOf({ method, path, idempotencyKey, body }: Call): string {
  const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
  return [
    `curl -X ${method} ${quote(location.origin + path)}`,
    `-H "Authorization: Bearer $TOKEN"`,
    ...(idempotencyKey ? [`-H ${quote(`Idempotency-Key: ${idempotencyKey}`)}`] : []),
    ...(body ? [`-H 'Content-Type: application/json'`, `-d ${quote(body)}`] : []),
  ].join(' \\\n  ')
}

/** When a call is sent again, and after how long. */

const FIRST_PAUSE_MS = 200
const PAUSE_MS_MAX = 5_000

/** What came of one attempt, as far as it matters here. */
export interface Attempted {
  /** Undefined if there was no answer. */
  status?: number | undefined
  /** The problem's name, if it is one. */
  code?: string | undefined
  headers?: Headers | undefined
}

/** Whether the next attempt may get another answer. 503 `ledger-stopped` lasts until an operator acts, so it
 * counts as a refusal. */
export function maySucceedLater({ status, code }: Attempted): boolean {
  if (status === undefined) return true
  if (status === 409) return code === 'idempotency-key-in-use'
  if (status === 503) return code !== 'ledger-stopped'
  return status === 429 || status === 502 || status === 504
}

/** Whether the attempt may have taken effect although it failed, or may still do so. */
export function leavesOpen(attempted: Attempted): boolean {
  const { status, code } = attempted
  if (status === undefined || code === 'idempotency-key-in-use') return true
  return status >= 500 && code !== 'ledger-stopped'
}

/** Returns the milliseconds to wait after attempt number `attempt` (1 for the first). They double each time
 * up to five seconds, half of them by chance, so that many clients don't come back together. `Retry-After`
 * counts if it is longer. */
export function pauseAfter(attempt: number, { headers }: Attempted, random = Math.random()): number {
  const most = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), PAUSE_MS_MAX)
  const least = headers ? readRetryAfter(headers) : 0
  return Math.max(least, most / 2) + (random * most) / 2
}

/** The date that servers send. Date.parse() makes a date of much more: of `by 2099` the year 2099. */
const DATE = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/

/** Returns the milliseconds that `Retry-After` asks for, in either form (RFC 9110, section 10.2.3); 0 without
 * it, and for anything else. A date is compared with the server's own clock if the answer shows it, because
 * ours may be wrong. */
export function readRetryAfter(headers: Headers): number {
  const value = headers.get('retry-after')?.trim() ?? ''
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const until = DATE.test(value) ? Date.parse(value) : NaN
  const now = Date.parse(headers.get('date') ?? '')
  return Number.isNaN(until) ? 0 : Math.max(0, until - (Number.isNaN(now) ? Date.now() : now))
}

/** Timers take no more than this (24 days) and fire at once if they are given more. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** As setTimeout(), but waits for long if it is told to wait for too long. */
export const startTimer = (act: () => void, ms: number): ReturnType<typeof setTimeout> =>
  setTimeout(act, Math.min(ms, TIMER_MS_MAX))

/** Resolves after `ms` milliseconds. Rejects with the signal's reason when it aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<void>((resolve) => (timer = startTimer(resolve, ms)))
  await orAborted(over, signal).finally(() => clearTimeout(timer))
}

/** Settles as `work` does, or rejects with the signal's reason when it aborts. The work itself goes on. */
export async function orAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work
  let stop = (): void => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

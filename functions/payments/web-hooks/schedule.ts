const MINUTE_S = 60
const HOUR_S = 60 * MINUTE_S

/** Seconds from a failed attempt to the next: two days in all. */
const RETRY_S = [
  30,
  2 * MINUTE_S,
  10 * MINUTE_S,
  30 * MINUTE_S,
  HOUR_S,
  2 * HOUR_S,
  4 * HOUR_S,
  8 * HOUR_S,
  12 * HOUR_S,
  24 * HOUR_S,
] as const

/** Failures in a row after which a hook gets one attempt at a time, with pauses between them. The SQL
 * function claim_web_hook_deliveries() has the same number. */
const FAILURES_FREE = 5
const BLOCK_S = { first: 10, longest: 30 * MINUTE_S }

/** A hook is paused if it has failed so often in a row, and for so long. */
const PAUSE_AFTER = { failures: 10, days: 3 }

/** What a failed attempt leads to. */
export interface FailurePlan {
  /** Milliseconds to the next attempt of this delivery; null if it was the last. */
  retryAfterMs: number | null
  /** Milliseconds until the hook gets anything again. */
  blockForMs: number
  pause: 'gone' | 'failing' | null
}

export interface AttemptFailure {
  /** Which attempt of the delivery this was, from 1 on. */
  attempt: number
  httpStatus: number | null
  /** Failures of the hook in a row, this one included. */
  hookFailures: number
  /** Milliseconds since the first of them. */
  failingForMs: number
}

/** Plans what comes after a failed attempt. `random` is from 0 to 1: up to a fifth is added to each wait, so
 * that what failed together does not come back together. */
export function planAfterFailure(
  { attempt, httpStatus, hookFailures, failingForMs }: AttemptFailure,
  random: number,
): FailurePlan {
  const stretch = 1000 * (1 + random / 5)
  const waitS = RETRY_S[attempt - 1]
  const excess = hookFailures - FAILURES_FREE
  const blockS = excess < 0 ? 0 : Math.min(BLOCK_S.first * 2 ** Math.min(excess, 20), BLOCK_S.longest)
  const isDead = hookFailures >= PAUSE_AFTER.failures && failingForMs >= PAUSE_AFTER.days * 24 * HOUR_S * 1000
  return {
    retryAfterMs: waitS === undefined ? null : Math.round(waitS * stretch),
    blockForMs: Math.round(blockS * stretch),
    pause: httpStatus === 410 ? 'gone' : isDead ? 'failing' : null,
  }
}

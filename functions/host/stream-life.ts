import { claimsOf } from './http/claims.ts'
import type { Caller } from './route-request.ts'

/** Milliseconds after which a stream ends, so that its client comes back: not the same for all, so that they
 * don't come back together. Proxies often cut off after five minutes, and an open stream keeps its function
 * from zero. */
const LIFE_MS = { least: 210_000, most: 240_000 }
/** Milliseconds that clients wait before they come back. */
const RETRY_MS = { least: 500, most: 2_500 }

/** Sent when nothing else was for a while: a comment, which clients ignore. */
export const HEARTBEAT = ':\n\n'
/** Less than the hops allow an answer to be silent (30 s, patches/streams.yaml). */
export const HEARTBEAT_MS = 15_000

/** How long a stream lasts, and for which reason it ends then. */
export interface TimeLeft {
  ms: number
  reason: 'time-over' | 'token-expired'
}

/** Returns how long a stream still has: until its time is over, or the caller's token expires. */
export function timeLeft({ token }: Caller): () => TimeLeft {
  const endsAt = performance.now() + between(LIFE_MS)
  const { exp } = claimsOf<{ exp: number }>(token)
  return () => {
    const untilOver = endsAt - performance.now()
    const untilExpired = exp * 1000 - Date.now()
    return untilExpired < untilOver
      ? { ms: untilExpired, reason: 'token-expired' }
      : { ms: untilOver, reason: 'time-over' }
  }
}

/** The line that says how long a client waits before it comes back. */
export const retryLine = (): string => `retry: ${between(RETRY_MS)}\n`

/** The last event of a stream whose time is over. It has no id, so that its client still comes back to where
 * it was. */
export const endEvent = ({ reason }: TimeLeft): string =>
  `event: end\ndata: ${JSON.stringify({ reason })}\n\n`

const between = ({ least, most }: { least: number; most: number }): number =>
  Math.round(least + Math.random() * (most - least))

import type { TraceHop } from './hops.ts'

/** What a request has cost, as a platform that scales to zero counts it. */
export interface Cost {
  /** Functions that were asked, by requests and by events. */
  requests: number
  /** Seconds of processes, cold starts included, times gigabytes (10^9 bytes) that they held. */
  gb_seconds: number
  /** Milliseconds of processes, cold starts included. */
  process_ms: number
  /** The part of those that were cold starts, from 0 to 1. */
  cold_share: number
}

/** Returns what hops have cost; null if none of them was in a function. */
export function costOf(hops: readonly TraceHop[]): Cost | null {
  const paid = hops.filter(({ kind }) => kind === 'work' || kind === 'cold-start')
  if (paid.length === 0) return null
  const msOf = (some: readonly TraceHop[]): number => some.reduce((sum, { ms }) => sum + ms, 0)
  const all = msOf(paid)
  return {
    requests: paid.filter(({ kind }) => kind === 'work').length,
    gb_seconds: paid.reduce((sum, { ms, memoryBytes }) => sum + (ms / 1e3) * ((memoryBytes ?? 0) / 1e9), 0),
    process_ms: all,
    cold_share: all === 0 ? 0 : msOf(paid.filter(({ kind }) => kind === 'cold-start')) / all,
  }
}

/** Returns the milliseconds in which at least one of the hops was going on. */
export function spannedMs(hops: readonly Pick<TraceHop, 'startMs' | 'ms'>[]): number {
  let sum = 0
  let until = -Infinity
  for (const { startMs, ms } of [...hops].sort((a, b) => a.startMs - b.startMs)) {
    const end = startMs + ms
    sum += Math.max(0, end - Math.max(startMs, until))
    until = Math.max(until, end)
  }
  return sum
}

import type { ColdStart, ColdStartHistogram } from '../../../data/platform-starts.ts'

/** A part of a start as it is drawn; `ready` is all that is known of a pod. */
export type BarPhase = 'spawn' | 'boot' | 'load' | 'port-open' | 'first-request' | 'first-query' | 'ready'

export interface StartBar {
  phase: BarPhase
  fromMs: number
  ms: number
}

/** The parts of a start on one line, from the moment its process was asked for. What passed between the open
 * port and the first request is left out: nobody waited then. */
export function barsOf(start: ColdStart): StartBar[] {
  const { spawn_ms: spawn, port_open_ms: port, first_request_ms: first, first_query_ms: query } = start
  if (port === null || spawn === null)
    return start.ready_ms === null ? [] : [{ phase: 'ready', fromMs: 0, ms: start.ready_ms }]
  const ready = spawn + port
  return [
    { phase: 'spawn', fromMs: 0, ms: spawn },
    ...portBars(start, spawn, port),
    ...(first === null ? [] : [{ phase: 'first-request', fromMs: ready, ms: first } as const]),
    // A query that took longer than the first request was made for another one.
    ...(first === null || query === null || query > first
      ? []
      : [{ phase: 'first-query', fromMs: ready + first - query, ms: query } as const]),
  ]
}

/** The function's clock and the runtime's differ by a moment, so the rest of the time counts as loading. */
function portBars({ boot_ms: boot }: ColdStart, fromMs: number, ms: number): StartBar[] {
  if (boot === null) return [{ phase: 'port-open', fromMs, ms }]
  const bootMs = Math.min(boot, ms)
  return [
    { phase: 'boot', fromMs, ms: bootMs },
    { phase: 'load', fromMs: fromMs + bootMs, ms: ms - bootMs },
  ]
}

/** What a caller waits for who finds no process; null until it is known. */
export function totalMs({
  ready_ms: ready,
  first_request_ms: first,
  spawn_ms: spawn,
}: ColdStart): number | null {
  if (ready === null || spawn === null) return ready
  return first === null ? null : ready + first
}

/** A round number of milliseconds, at or above the longest start, to which all are drawn. */
export function scaleOf(starts: readonly ColdStart[]): number {
  const longest = Math.max(1, ...starts.flatMap(barsOf).map(({ fromMs, ms }) => fromMs + ms))
  const step = 10 ** Math.floor(Math.log10(longest))
  return [1, 2, 2.5, 5, 10].map((factor) => factor * step).find((round) => round >= longest)!
}

/** Adds up the histograms of a phase, one of each function; undefined if there are none. */
export function sumOf(
  histograms: readonly ColdStartHistogram[],
  phase: ColdStartHistogram['phase'],
): number[] | undefined {
  const own = histograms.filter((each) => each.phase === phase)
  return own[0]?.counts.map((_, bucket) => own.reduce((sum, { counts }) => sum + counts[bucket]!, 0))
}

export const countOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

/** The bound within which a part of all starts lies; Infinity if it is above all bounds, null without any. */
export function within(counts: readonly number[], boundsMs: readonly number[], part: number): number | null {
  const wanted = countOf(counts) * part
  if (wanted === 0) return null
  let seen = 0
  const bucket = counts.findIndex((count) => (seen += count) >= wanted)
  return boundsMs[bucket] ?? Infinity
}

/** The first and the last bucket that any of the histograms uses, with one more on each side. */
export function usedBuckets(histograms: readonly (readonly number[])[]): { from: number; to: number } {
  const used = histograms.flatMap((counts) => counts.flatMap((count, n) => (count > 0 ? [n] : [])))
  if (used.length === 0) return { from: 0, to: 0 }
  const last = histograms[0]!.length - 1
  return { from: Math.max(0, Math.min(...used) - 1), to: Math.min(last, Math.max(...used) + 1) }
}

/** Where bars lie on the axis of a life: pure arithmetic. */

/** What has a beginning and a length, in milliseconds. */
export interface Bar {
  at_ms: number
  ms: number
}

/** A longer time in which nobody works is drawn as if it were shorter. */
export const FOLDED_MS = 1_000
/** How long it is drawn: this part of all the rest. */
const FOLDED_SHARE = 0.08

/** A place that was folded, as percentages of the axis, and how long it lasted. */
export interface Fold {
  at: number
  width: number
  ms: number
}

export interface Axis {
  /** Returns where a moment lies, from 0 to 100. */
  place: (ms: number) => number
  folds: readonly Fold[]
}

/** Returns the axis of some bars. `busy` are those in which somebody works: between them, long waits are
 * folded, so that a retry after a minute leaves something to see of the milliseconds before it. */
export function axisOf(bars: readonly Bar[], busy: readonly Bar[]): Axis {
  const begin = Math.min(...bars.map(({ at_ms: at }) => at))
  const end = Math.max(...bars.map(({ at_ms: at, ms }) => at + ms))
  if (bars.length === 0 || end <= begin) return { place: () => 0, folds: [] }
  const gaps = gapsOf(busy, begin, end).filter(({ from, to }) => to - from > FOLDED_MS)
  const rest = end - begin - gaps.reduce((sum, { from, to }) => sum + to - from, 0)
  const folded = Math.max(rest, 1) * FOLDED_SHARE
  const whole = Math.max(rest + gaps.length * folded, Number.MIN_VALUE)
  const place = (ms: number): number => {
    let drawn = Math.min(Math.max(ms, begin), end) - begin
    for (const { from, to } of gaps) {
      if (ms <= from) break
      const passed = Math.min(ms, to) - from
      drawn += (passed / (to - from)) * folded - passed
    }
    return (drawn / whole) * 100
  }
  const folds = gaps.map(({ from, to }) => ({
    at: place(from),
    width: place(to) - place(from),
    ms: to - from,
  }))
  return { place, folds }
}

function gapsOf(busy: readonly Bar[], begin: number, end: number): { from: number; to: number }[] {
  const gaps: { from: number; to: number }[] = []
  let until = begin
  for (const { at_ms: at, ms } of [...busy].sort((a, b) => a.at_ms - b.at_ms)) {
    if (at > until) gaps.push({ from: until, to: at })
    until = Math.max(until, at + ms)
  }
  if (end > until) gaps.push({ from: until, to: end })
  return gaps
}

/** Puts bars into lanes, in the order in which lanes first appear. */
export function lanesOf<Each extends { lane: string }>(
  bars: readonly Each[],
): { lane: string; bars: Each[] }[] {
  const lanes = new Map<string, Each[]>()
  for (const bar of bars) lanes.set(bar.lane, [...(lanes.get(bar.lane) ?? []), bar])
  return [...lanes].map(([lane, own]) => ({ lane, bars: own }))
}

import type { Latency } from './latency.ts'

/** One measurement of ours and one of its floor, one right after the other. */
export interface Round {
  ours: number
  floor: number
}

/** Calls `ours` and `floor` in turns, and swaps which comes first from round to round, so that a disturbance
 * of the machine affects both. */
export async function inTurns<Ours, Floor>(
  count: number,
  ours: (round: number) => Promise<Ours>,
  floor: (round: number) => Promise<Floor>,
): Promise<{ ours: Ours; floor: Floor }[]> {
  const rounds: { ours: Ours; floor: Floor }[] = []
  for (let round = 0; round < count; round++) {
    if (round % 2 === 0) {
      const first = await ours(round)
      rounds.push({ ours: first, floor: await floor(round) })
    } else {
      const first = await floor(round)
      rounds.push({ ours: await ours(round), floor: first })
    }
  }
  return rounds
}

/** A goal: a ratio to the floor, and whether more or less than it is better. */
export interface Goal {
  ratio: number
  better: 'higher' | 'lower'
}

/** A measurement before it is summed up. */
export interface Measurement {
  id: string
  name: string
  unit: string
  /** Null if it is measured only for comparison. */
  goal: Goal | null
  rounds: Round[]
  /** Latency of our requests, in ms, if there are requests. */
  latency?: Latency
  /** Further facts, in words. */
  notes?: string[]
}

/** A result: one line of the table and of results.json. */
export interface Result {
  id: string
  name: string
  /** Median of the rounds. */
  ours: number
  floor: number
  /** Median of the rounds' ratios. */
  ratio: number
  /** Largest minus smallest ratio of a round. */
  spread: number
  goal: number | null
  better: 'higher' | 'lower' | null
  met: boolean | null
  unit: string
  rounds: (Round & { ratio: number })[]
  latency_ms?: Latency
  notes?: string[]
}

/** Sums up the rounds of a measurement. Throws if there are none, or if a figure is not above zero. */
export function summarise({ goal, latency, notes, ...measured }: Measurement): Result {
  const { id, name, unit } = measured
  for (const { ours, floor } of measured.rounds)
    if (!(ours > 0 && floor > 0)) throw new Error(`${id}: expected figures above 0, got ${ours} and ${floor}`)
  const rounds = measured.rounds.map(({ ours, floor }) => ({ ours, floor, ratio: ours / floor }))
  const ratios = rounds.map((round) => round.ratio)
  const ratio = median(ratios)
  return {
    id,
    name,
    ours: median(rounds.map((round) => round.ours)),
    floor: median(rounds.map((round) => round.floor)),
    ratio,
    spread: Math.max(...ratios) - Math.min(...ratios),
    goal: goal?.ratio ?? null,
    better: goal?.better ?? null,
    met: goal && (goal.better === 'higher' ? ratio >= goal.ratio : ratio <= goal.ratio),
    unit,
    rounds,
    ...(latency && { latency_ms: latency }),
    ...(notes && { notes }),
  }
}

/** Returns the middle value, or the mean of the two in the middle. Throws if there are no values. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('expected values to take the median of, got none')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

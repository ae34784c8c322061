import type { GivenFault } from '../../../functions/platform/lab/faults.ts'
import { createRandom } from './random.ts'

/** A fault of one moment. Those that last for the whole run are not in the plan. */
export interface PlannedFault {
  /** Milliseconds since the faults began. */
  atMs: number
  fault: GivenFault
  /** From 0 up to 1: decides whom it hits, if the fault doesn't name anybody. */
  draw: number
}

/** Returns when which fault is made in a run: the same for the same seed. Sorted by time. */
export function planOf(faults: readonly GivenFault[], seconds: number, seed: number): PlannedFault[] {
  const totalMs = seconds * 1000
  const planned = faults.flatMap((fault, index) => {
    const random = createRandom(seed, `${index} ${fault.kind}`)
    return momentsOf(fault, totalMs, random).map((atMs) => ({
      atMs: Math.floor(atMs),
      fault,
      draw: random(),
    }))
  })
  return planned.sort((one, other) => one.atMs - other.atMs)
}

function momentsOf(fault: GivenFault, totalMs: number, random: () => number): number[] {
  switch (fault.kind) {
    case 'kill-function':
      return inSlots(Math.max(1, Math.floor(totalMs / fault.every_ms!)), totalMs, random)
    case 'postgres-killed':
      return inSlots(fault.times!, totalMs, random)
    case 'poison-event':
      return inSlots(fault.count!, totalMs, random)
    case 'rabbitmq-away':
      // It is back before the end, if it fits in.
      return [random() * Math.max(0, totalMs - fault.seconds! * 1000)]
    default:
      return []
  }
}

/** Returns a moment in each of `count` equal parts of the time. */
const inSlots = (count: number, totalMs: number, random: () => number): number[] =>
  Array.from({ length: count }, (_, slot) => ((slot + random()) * totalMs) / count)

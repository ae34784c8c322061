import { readFamily } from './family.ts'
import { median } from './rounds.ts'

/** Processor time in seconds, by name of the program that used it. */
export type ProcessorTime = Record<string, number>

/** Returns the processor time that the bench and its descendants have used, by program; programs on Node by
 * their script. The time of ended processes counts as `wrk`: only wrk ends during a measurement. Empty on a
 * system without /proc.
 * @param root process id of the bench; a program of the bench passes that of its parent */
export function readProcessorTime(root = process.pid): ProcessorTime {
  const times: ProcessorTime = {}
  for (const { pid, name, seconds, secondsOfEnded } of readFamily(root)) {
    times[name] = (times[name] ?? 0) + seconds
    if (pid === root) times['wrk'] = (times['wrk'] ?? 0) + secondsOfEnded
  }
  return times
}

/** Returns the processor time between two readings, divided by `count`, largest first. Leaves out less than
 * half a microsecond. */
export function perPiece(before: ProcessorTime, after: ProcessorTime, count: number): ProcessorTime {
  const used = Object.entries(after)
    .map(([name, seconds]) => [name, (seconds - (before[name] ?? 0)) / count] as const)
    .filter(([, seconds]) => seconds > 0.5e-6)
  return Object.fromEntries(used.sort(([, a], [, b]) => b - a))
}

/** Returns one line with the processor time of a transfer, or what `of` says, by program: medians over the
 * rounds. Each answer was one of `size` transfers. Returns no line if the times could not be read. */
export function processorTimeNote(rounds: readonly ProcessorTime[], size = 1, of = 'a transfer'): string[] {
  const parts = Object.keys(rounds[0]!).map((name) => {
    const microseconds = (median(rounds.map((times) => times[name] ?? 0)) / size) * 1e6
    return `${name} ${microseconds.toFixed(1)}`
  })
  return parts.length > 0 ? [`processor time of ${of}, in µs: ${parts.join(', ')}`] : []
}

import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { median } from './rounds.ts'

/** Processor time in seconds, by name of the program that used it. */
export type ProcessorTime = Record<string, number>

const TICKS_A_SECOND = 100

/** Returns the processor time that the bench and its descendants have used, by program; programs on Node by
 * their script. The time of ended processes counts as `wrk`: only wrk ends during a measurement. Empty on a
 * system without /proc.
 * @param root process id of the bench; a program of the bench passes that of its parent */
export function readProcessorTime(root = process.pid): ProcessorTime {
  if (process.platform !== 'linux') return {}
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readProcess)
  const family = new Set([root])
  // Process ids may have wrapped, so a child may be listed before its parent.
  for (let size = 0; size !== family.size;) {
    size = family.size
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid)
  }
  const times: ProcessorTime = {}
  for (const { pid, name, seconds, secondsOfEnded } of processes) {
    if (!family.has(pid)) continue
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

function readProcess(pid: string) {
  try {
    const [, comm = '', rest = ''] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    const fields = rest.split(' ')
    // Fields 4 and 14 to 17 of proc(5), counted from the one after the name.
    const [parent, own, system, ended, endedSystem] = [1, 11, 12, 13, 14].map((n) => Number(fields[n]))
    return [
      {
        pid: Number(pid),
        parent: parent!,
        name: nameOf(pid, comm),
        seconds: (own! + system!) / TICKS_A_SECOND,
        secondsOfEnded: (ended! + endedSystem!) / TICKS_A_SECOND,
      },
    ]
  } catch {
    // The process has ended since the folder was read.
    return []
  }
}

function nameOf(pid: string, comm: string): string {
  if (comm === 'beam.smp') return 'RabbitMQ'
  if (comm === 'postgres') return 'Postgres'
  if (!/^(node|MainThread)/.test(comm)) return comm
  const script = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    .split('\0')
    .find((part) => /\.[cm]?js$/.test(part))
  if (script?.endsWith('knative/local/start.mjs')) return 'runtime'
  return basename(script ?? comm).replace(/\.[cm]?js$/, '')
}

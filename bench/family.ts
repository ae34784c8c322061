import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** A process that the bench has started, or one that such a process has started. */
export interface FamilyProcess {
  pid: number
  parent: number
  /** Name of the program; for programs on Node that of their script. */
  name: string
  /** Processor time of the process so far. */
  seconds: number
  /** Processor time of its children that have ended. */
  secondsOfEnded: number
}

const TICKS_A_SECOND = 100

/** Returns a process and all its descendants. Empty on a system without /proc. */
export function readFamily(root = process.pid): FamilyProcess[] {
  if (process.platform !== 'linux') return []
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readProcess)
  const family = new Set([root])
  // Process ids may have wrapped, so a child may be listed before its parent.
  for (let size = 0; size !== family.size;) {
    size = family.size
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid)
  }
  return processes.filter(({ pid }) => family.has(pid))
}

/** Returns the memory of a process, in bytes. What it shares with others counts in parts. 0 if it has
 * ended. */
export function memoryOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

function readProcess(pid: string): FamilyProcess[] {
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

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * When the process `pid` was started, as text that only this very process has; undefined where there is none.
 * Pids are used again, so a pid from a file proves nothing; together with this it does.
 * Linux: proc(5), field 22 of /proc/PID/stat, and the boot's id. Elsewhere `ps` says it to the second.
 */
export function startedAt(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux')
      return (
        execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
      )
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, second and in parentheses, may hold spaces and parentheses itself.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z') return undefined
    return `${bootId()}:${fields[18]}`
  } catch {
    return undefined
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** A process as it is kept in a file of the data folder. */
export interface KnownProcess {
  pid: number
  /** `startedAt` of it. */
  started: string
  /** Identity of the data folder that it belongs to: in a copy of the folder the file is of no account. */
  folder: string
}

/** The process that the fields of a file tell of; undefined where they don't make one, or one of another
 * folder. */
export function knownProcess(
  fields: Partial<Record<string, unknown>> | undefined,
  ofFolder: string,
): KnownProcess | undefined {
  const { pid, started, folder } = fields ?? {}
  if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return undefined
  if (typeof started !== 'string' || started === '' || folder !== ofFolder) return undefined
  return { pid: pid as number, started, folder }
}

/** True while the process that `startedAt` was read from still runs. */
export function isAlive({ pid, started }: Pick<KnownProcess, 'pid' | 'started'>): boolean {
  return startedAt(pid) === started
}

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Returns when the process `pid` was started, as a text that only this process has; undefined if there is no
 * such process. A pid alone, read from a file, proves nothing, because pids are used again; with this text it
 * identifies a process. Linux: proc(5), field 22 of /proc/PID/stat, and the id of the boot. Elsewhere: `ps`,
 * to the second.
 */
export function startedAt(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux')
      return (
        execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
      )
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name is the second field, in parentheses. It may contain spaces and parentheses itself.
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

/** A process as a file in the data folder describes it. */
export interface KnownProcess {
  pid: number
  /** The result of `startedAt` for it. */
  started: string
  /** The identity of the data folder that it belongs to. In a copy of the folder, the file means nothing. */
  folder: string
}

/**
 * Returns the process that the fields of a file describe; undefined if they are not complete, or belong to
 * another folder.
 */
export function knownProcess(
  fields: Partial<Record<string, unknown>> | undefined,
  ofFolder: string,
): KnownProcess | undefined {
  const { pid, started, folder } = fields ?? {}
  if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return undefined
  if (typeof started !== 'string' || started === '' || folder !== ofFolder) return undefined
  return { pid: pid as number, started, folder }
}

/** Whether the process still runs that `startedAt` was read from. */
export function isAlive({ pid, started }: Pick<KnownProcess, 'pid' | 'started'>): boolean {
  return startedAt(pid) === started
}

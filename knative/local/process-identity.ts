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

/** True while the process that `startedAt` was read from still runs. */
export function isAlive({ pid, started }: { pid: number; started: string }): boolean {
  return startedAt(pid) === started
}

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './until.ts'

/** Sends a signal to each of the processes. One that has just ended by itself gets none. */
export function signal(pids: number[], name: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
}

/** Stops processes (SIGSTOP). Resolves when none of their threads runs any more: on a busy machine the one
 * that takes the signal may have to wait for its turn, and the others go on until then. */
export async function freeze(pids: number[]): Promise<void> {
  signal(pids, 'SIGSTOP')
  await until(() => pids.every((pid) => statesOf(pid).every((state) => /^[TtZX]/.test(state))), {
    everyMs: 5,
    what: 'processes to stop',
  })
}

/** Returns the states of a process's threads, as ps(1) names them; elsewhere than on Linux, of the process.
 * None if it has ended. Throws if a thread ends meanwhile. */
function statesOf(pid: number): string[] {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })
    return stdout.trim() ? [stdout.trim()] : []
  }
  const folder = `/proc/${pid}/task`
  if (!existsSync(folder)) return []
  return readdirSync(folder).map((thread) => {
    // The state stands after the name, which may hold anything.
    const [, state] = /.*\) (.)/s.exec(readFileSync(join(folder, thread, 'stat'), 'utf8'))!
    return state!
  })
}

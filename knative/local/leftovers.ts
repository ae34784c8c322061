import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stopProcess } from './daemon.ts'
import { isAlive, startedAt } from './process-identity.ts'

interface Recorded {
  pid: number
  started: string
  what: string
}

/** The processes that this data folder's runtime has started, on disk: so that the next start can stop what a
 * kill -9 of the runtime left behind. */
export interface ProcessRecords {
  add(pid: number, what: string): void
  remove(pid: number): void
  /** Stops every recorded process that still runs and is the one recorded. Returns what was stopped. */
  stopLeftovers(graceMs?: number): Promise<string[]>
}

export function openProcessRecords(dataDir: string): ProcessRecords {
  const folder = join(dataDir, 'processes')
  mkdirSync(folder, { recursive: true })
  const file = (pid: number) => join(folder, `${pid}.json`)
  return {
    add(pid, what) {
      const started = startedAt(pid)
      if (started) writeFileSync(file(pid), JSON.stringify({ pid, started, what } satisfies Recorded))
    },
    remove(pid) {
      rmSync(file(pid), { force: true })
    },
    async stopLeftovers(graceMs = 5000) {
      const leftovers = readdirSync(folder)
        .map((name) => read(join(folder, name)))
        .filter((recorded) => recorded !== undefined)
        .filter(isAlive)
      await Promise.all(
        leftovers.map((leftover) =>
          stopProcess(leftover.pid, () => isAlive(leftover), [
            ['SIGTERM', graceMs],
            ['SIGKILL', 5000],
          ]),
        ),
      )
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { force: true })
      return leftovers.map(({ what, pid }) => `${what} (process ${pid})`)
    },
  }
}

function read(path: string): Recorded | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Recorded
  } catch {
    // The runtime died while it wrote this one.
    return undefined
  }
}

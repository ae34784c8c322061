import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stopProcess } from '../servers/daemon.ts'
import { folderIdentity, privateFolder, readFields, remove } from '../data-folder/own-files.ts'
import { isAlive, knownProcess, startedAt, type KnownProcess } from './process-identity.ts'

interface Recorded extends KnownProcess {
  what: string
}

/** The processes that this data folder's runtime has started, on disk: so that the next start can stop what a
 * kill -9 of the runtime left behind. */
export interface ProcessRecords {
  /** Never throws: what can't be written (a full disk) is written as soon as it can be. */
  add(pid: number, what: string): void
  remove(pid: number): void
  /** Stops every recorded process that still runs and is the one recorded. Returns what was stopped. */
  stopLeftovers(graceMs?: number): Promise<string[]>
}

const RETRY_MS = 1_000

export function openProcessRecords(dataDir: string): ProcessRecords {
  const folder = privateFolder(join(dataDir, 'processes'))
  const identity = folderIdentity(dataDir)
  const file = (pid: number) => join(folder, `${pid}.json`)
  const unwritten = new Map<number, Recorded>()
  let retry: NodeJS.Timeout | undefined

  function write(recorded: Recorded): void {
    unwritten.delete(recorded.pid)
    try {
      writeFileSync(file(recorded.pid), JSON.stringify(recorded), { mode: 0o600 })
    } catch {
      unwritten.set(recorded.pid, recorded)
      retry ??= setTimeout(writeLate, RETRY_MS).unref()
    }
  }

  function writeLate(): void {
    retry = undefined
    for (const recorded of [...unwritten.values()]) write(recorded)
  }

  return {
    add(pid, what) {
      const started = startedAt(pid)
      if (started) write({ pid, started, folder: identity, what })
    },
    remove(pid) {
      unwritten.delete(pid)
      try {
        remove(file(pid))
      } catch {
        // It names a process that has ended: the next start takes no notice.
      }
    },
    async stopLeftovers(graceMs = 5000) {
      const leftovers = readdirSync(folder)
        .map((name) => read(join(folder, name), identity))
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
      for (const name of readdirSync(folder)) remove(join(folder, name))
      return leftovers.map(({ what, pid }) => `${what} (process ${pid})`)
    },
  }
}

/** Undefined where the runtime died while it wrote this one, and where the folder is a copy: the process is
 * another's. */
function read(file: string, folder: string): Recorded | undefined {
  const fields = readFields(file)
  const known = knownProcess(fields, folder)
  return known && { ...known, what: String(fields?.what) }
}

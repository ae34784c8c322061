import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stopProcess } from './daemon.ts'
import { folderIdentity, privateFolder, readFields, remove } from '../data-folder/own-files.ts'
import { isAlive, knownProcess, startedAt, type KnownProcess } from '../data-folder/process-identity.ts'

interface Recorded extends KnownProcess {
  what: string
}

/**
 * A record on disk of the processes that this data folder's runtime has started. If the runtime is killed
 * (kill -9), the next start uses it to stop the processes that are left.
 */
export interface ProcessRecords {
  /**
   * Records a process. Never throws: if the record can't be written (a full disk), it is written as soon as
   * possible.
   */
  add(pid: number, what: string): void
  remove(pid: number): void
  /**
   * Stops every recorded process that still runs and is the recorded one. Waits `graceMs` before SIGKILL.
   * Returns the names of what it stopped.
   */
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
        // The record names a process that has ended, so the next start ignores it.
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

/**
 * Reads a record. Undefined if the runtime died while it wrote the record, or if the folder is a copy: then
 * the process belongs to the original.
 */
function read(file: string, folder: string): Recorded | undefined {
  const fields = readFields(file)
  const known = knownProcess(fields, folder)
  return known && { ...known, what: String(fields?.what) }
}

import { linkSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folderIdentity, readFields, remove } from './own-files.ts'
import { isAlive, knownProcess, startedAt, type KnownProcess } from './process-identity.ts'

/** Thrown if another microbank uses the data folder. */
export class DataFolderInUse extends Error {}

/**
 * Locks the data folder for this process, so that two of them never run databases on the same files. Takes
 * over a lock whose holder is dead (it was killed, or its pid now belongs to another process), a lock that
 * can't be read, and a lock that came with a copy of the folder: its holder uses the original.
 * @returns a function that unlocks the folder
 * @throws DataFolderInUse with a sentence that names the holder's pid and URL
 */
export function lockDataFolder(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true })
  const lock = join(dataDir, 'lock')
  const mine = `${lock}.${process.pid}`
  const folder = folderIdentity(dataDir)
  const me: KnownProcess = { pid: process.pid, started: startedAt(process.pid) ?? '', folder }
  try {
    writeFileSync(mine, JSON.stringify(me), { mode: 0o600 })
    while (!created(mine, lock)) {
      const holder = readHolder(lock, folder)
      if (holder && isAlive(holder)) throw new DataFolderInUse(inUse(dataDir, holder))
      // The dead lock is renamed, not removed: if two processes take over at once, only one gets the file.
      moveAway(lock, `${mine}.dead`, folder)
    }
  } finally {
    remove(mine)
    remove(`${mine}.dead`)
  }
  return () => {
    if (readHolder(lock, folder)?.pid === process.pid) remove(lock)
  }
}

/**
 * Creates the lock as a link, which appears with its whole content at once. A file that is created and then
 * written could be read while it is still empty.
 */
function created(source: string, lock: string): boolean {
  try {
    linkSync(source, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function moveAway(from: string, to: string, folder: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return
  }
  const moved = readHolder(to, folder)
  // Another process was quicker, and the file that was moved away is its valid lock: put it back.
  if (moved && isAlive(moved)) created(to, from)
}

const readHolder = (lock: string, folder: string): KnownProcess | undefined =>
  knownProcess(readFields(lock), folder)

function inUse(dataDir: string, { pid }: KnownProcess): string {
  // The holder writes this file when it has started.
  const running = readFields(join(dataDir, 'runtime.json'))
  const where = running?.pid === pid ? `at ${String(running.url)}` : 'and is still starting'
  return (
    `A microbank already runs on the data folder ${dataDir}: process ${pid}, ${where}. ` +
    `Stop it first (kill ${pid}), or choose another folder with --data.`
  )
}

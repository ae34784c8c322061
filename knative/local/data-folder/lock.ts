import { linkSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folderIdentity, readFields, remove } from './own-files.ts'
import { isAlive, knownProcess, startedAt, type KnownProcess } from '../processes/process-identity.ts'

/** Thrown where another microbank has the data folder. */
export class DataFolderInUse extends Error {}

/**
 * Takes the data folder for this process, so that two of them never run databases on the same files. A lock
 * is taken over whose holder is dead (killed, or its pid now belongs to another process), that can't be read,
 * or that came here with a copy of the folder: its holder has the original.
 * @returns a function that gives the folder back
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
      // Renamed, not removed: of two that take over at once only one gets the dead one's file.
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

/** A link appears with its whole content at once; a file that is created and then written can be read
 * empty. */
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
  // Somebody else was quicker, and what was moved away is the lock of one who lives: put it back.
  if (moved && isAlive(moved)) created(to, from)
}

const readHolder = (lock: string, folder: string): KnownProcess | undefined =>
  knownProcess(readFields(lock), folder)

function inUse(dataDir: string, { pid }: KnownProcess): string {
  // Written when it has started.
  const running = readFields(join(dataDir, 'runtime.json'))
  const where = running?.pid === pid ? `at ${String(running.url)}` : 'and is still starting'
  return (
    `A microbank already runs on the data folder ${dataDir}: process ${pid}, ${where}. ` +
    `Stop it first (kill ${pid}), or choose another folder with --data.`
  )
}

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, startedAt } from './process-identity.ts'

interface Holder {
  pid: number
  started: string
}

/** Thrown where another microbank has the data folder. */
export class DataFolderInUse extends Error {}

/**
 * Takes the data folder for this process, so that two of them never run databases on the same files.
 * A lock whose holder is dead (killed, or its pid now belongs to another process) is taken over.
 * @returns a function that gives the folder back
 * @throws DataFolderInUse with a sentence that names the holder's pid and URL
 */
export function lockDataFolder(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true })
  const lock = join(dataDir, 'lock')
  const mine = `${lock}.${process.pid}`
  const me: Holder = { pid: process.pid, started: startedAt(process.pid) ?? '' }
  writeFileSync(mine, JSON.stringify(me))
  try {
    while (!created(mine, lock)) {
      const holder = readHolder(lock)
      if (holder && isAlive(holder)) throw new DataFolderInUse(inUse(dataDir, holder))
      // Renamed, not removed: of two that take over at once only one gets the dead one's file.
      moveAway(lock, `${mine}.dead`)
    }
  } finally {
    rmSync(mine, { force: true })
    rmSync(`${mine}.dead`, { force: true })
  }
  return () => {
    if (readHolder(lock)?.pid === process.pid) rmSync(lock, { force: true })
  }
}

/** A link appears with its whole content at once; a file that is created and then written can be read empty. */
function created(source: string, lock: string): boolean {
  try {
    linkSync(source, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function moveAway(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return
  }
  const moved = readHolder(to)
  // Somebody else was quicker, and what was moved away is the lock of one who lives: put it back.
  if (moved && isAlive(moved)) created(to, from)
}

function readHolder(lock: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

function inUse(dataDir: string, { pid }: Holder): string {
  let where = 'and is still starting'
  try {
    const running = JSON.parse(readFileSync(join(dataDir, 'runtime.json'), 'utf8')) as {
      pid: number
      url: string
    }
    if (running.pid === pid) where = `at ${running.url}`
  } catch {
    // Written when it has started.
  }
  return (
    `A microbank already runs on the data folder ${dataDir}: process ${pid}, ${where}. ` +
    `Stop it first (kill ${pid}), or choose another folder with --data.`
  )
}

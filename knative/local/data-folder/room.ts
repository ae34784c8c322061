import { statfsSync } from 'node:fs'
import { isObject } from './own-files.ts'

/** No start succeeds with less than this: Postgres alone writes its log in files of 16 MB. */
const START_BYTES_MIN = 32 * 1024 * 1024

/** Thrown if the disk of the data folder is full. */
export class DiskFull extends Error {}

/**
 * Checks that the data folder's disk has room for a start.
 * @throws DiskFull with a sentence if it doesn't
 */
export function checkRoom(dataDir: string): void {
  const free = freeBytes(dataDir)
  if (free < START_BYTES_MIN)
    throw new DiskFull(sentence(dataDir, `${Math.floor(free / 1024 / 1024)} MB are free`))
}

/** Returns the error itself or, if a full disk caused it, an error that says so in a sentence. */
export function explainFullDisk(error: unknown, dataDir: string): unknown {
  if (error instanceof DiskFull || !saysFull(error)) return error
  return new DiskFull(sentence(dataDir, (error as Error).message), { cause: error })
}

/**
 * Whether an error or its cause says that a disk or a quota is full. Node, Postgres and Erlang each say it in
 * their own words.
 */
export function saysFull(error: unknown): boolean {
  if (!isObject(error)) return false
  const { code, message, cause } = error as Partial<NodeJS.ErrnoException>
  return (
    /^(ENOSPC|EDQUOT|53100)$/.test(code ?? '') ||
    /No space left on device|Disk quota exceeded|\benospc\b/i.test(message ?? '') ||
    saysFull(cause)
  )
}

function sentence(dataDir: string, detail: string): string {
  return (
    `The disk of the data folder ${dataDir} is full: ${detail}. ` +
    'Make room (df -h shows where) and start again; nothing is lost.'
  )
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

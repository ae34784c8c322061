import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

// The files that the runtime keeps in its data folder. A power cut can leave a file that was just written
// empty or full of zeros. A full disk cuts a file short. People copy and edit the files.

/**
 * The text of a file; undefined if the file is missing or holds nothing but zeros and blanks.
 * @throws an error that names the file if it can't be read, or is a folder
 */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', '').trim() || undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    const reason = code === 'EISDIR' ? 'it is a folder, but it should be a file. Move it away' : message
    throw new Error(`${file} can't be read: ${reason}.`, { cause: error })
  }
}

/** The fields of a JSON object in a file; undefined if no such object can be read, for any reason. */
export function readFields(file: string): Partial<Record<string, unknown>> | undefined {
  try {
    return fieldsOf(readText(file))
  } catch {
    return undefined
  }
}

/** The fields of a JSON object; undefined for any other text. */
export function fieldsOf(text: string | undefined): Partial<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text ?? '') as unknown
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Writes a file that only its owner can read. Returns when the file is on disk. It is written completely or
 * not at all, even if the power fails: afterwards the name holds either the old content or the new.
 */
export function writeDurably(file: string, text: string): void {
  const unfinished = `${file}.new`
  const open = openSync(unfinished, 'w', 0o600)
  try {
    writeFileSync(open, text)
    fsyncSync(open)
  } finally {
    closeSync(open)
  }
  renameSync(unfinished, file)
  syncFolder(dirname(file))
}

/** Makes the names in a folder survive a power cut: a rename is not on disk before its folder is. */
export function syncFolder(folder: string): void {
  const open = openSync(folder, 'r')
  try {
    fsyncSync(open)
  } finally {
    closeSync(open)
  }
}

/** Removes one of our files, or a folder that has taken its place. */
export function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

/**
 * Makes a folder that only its owner can enter. If the folder exists, closes it to others. Returns its path.
 * Throws if the path is a file.
 */
export function privateFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Error(`${path} is a file, but it should be a folder. Move it away.`, { cause: error })
  }
  closeFolder(path)
  return path
}

/**
 * Closes one of our folders to everybody else. If `passer` is given, its group may still pass through. A
 * folder that belongs to another user stays as it is: its owner decides.
 */
export function closeFolder(path: string, passer?: { gid: number }): void {
  const { uid } = statSync(path)
  if ((process.getuid?.() ?? uid) !== uid) return
  if (passer) chownSync(path, uid, passer.gid)
  chmodSync(path, passer ? 0o710 : 0o700)
}

/**
 * Whether a folder is a data folder or may become one. Any other folder that a person names is not ours to
 * close.
 */
export function isDataFolder(path: string): boolean {
  const names = readdirSync(path)
  return names.length === 0 || names.includes('secrets.json')
}

/** An identity that a folder keeps when it is renamed, and that no copy of it has. */
export function folderIdentity(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}

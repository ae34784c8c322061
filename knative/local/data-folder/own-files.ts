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

// The files that the runtime keeps in its data folder. A power cut leaves one that was just written empty or
// full of zeros, a full disk cuts it short, and people copy and edit what they find.

/**
 * Text of a file; undefined where there is none, or nothing but zeros and blanks in it.
 * @throws an error that names the file where it can't be read, or is a folder
 */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', '').trim() || undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    const reason = code === 'EISDIR' ? 'it is a folder, and should be a file. Move it away' : message
    throw new Error(`${file} can't be read: ${reason}.`, { cause: error })
  }
}

/** The fields of a JSON object in a file; undefined where no such object can be read, for whatever reason. */
export function readFields(file: string): Partial<Record<string, unknown>> | undefined {
  try {
    return fieldsOf(readText(file))
  } catch {
    return undefined
  }
}

/** The fields of a JSON object; undefined for every other text. */
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

/** Writes a file that only its owner can read, whole or not at all, also when the power is cut: what is under
 * the name after that is the old content or the new. Returns when it is on disk. */
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

/** Makes the names in a folder outlive a power cut: a rename is not on disk before its folder is. */
export function syncFolder(folder: string): void {
  const open = openSync(folder, 'r')
  try {
    fsyncSync(open)
  } finally {
    closeSync(open)
  }
}

/** Removes a file of ours, and also a folder that has got in its place. */
export function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

/** Makes a folder that only its owner can enter, or closes one that is there. */
export function privateFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Error(`${path} is a file, and should be a folder. Move it away.`, { cause: error })
  }
  closeFolder(path)
  return path
}

/** Closes a folder of ours to everybody else; the group of `passer`, where one is given, may pass through it.
 * One that is somebody else's stays as it is: who owns it decides. */
export function closeFolder(path: string, passer?: { gid: number }): void {
  const { uid } = statSync(path)
  if ((process.getuid?.() ?? uid) !== uid) return
  if (passer) chownSync(path, uid, passer.gid)
  chmodSync(path, passer ? 0o710 : 0o700)
}

/** Whether a folder is a data folder, or may become one: whatever else somebody names is not ours to
 * close. */
export function isDataFolder(path: string): boolean {
  const names = readdirSync(path)
  return names.length === 0 || names.includes('secrets.json')
}

/** What tells a folder from every copy of it, and stays when it is renamed. */
export function folderIdentity(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}

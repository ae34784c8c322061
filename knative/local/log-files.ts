import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { lineFilter, type LogLine, type LogQuery } from './log-lines.ts'

/**
 * Opens the functions' logs in a folder, all or those of one service. Returns a function that returns the
 * wanted lines that it has not returned yet, the oldest first. A last line without an end is still being
 * written: it waits for its end, unless `isOnlyLook`.
 * @throws Error if there are no logs, or none of that service
 */
export function openLogs(
  folder: string,
  only: string | undefined,
  query: LogQuery,
): (isOnlyLook: boolean) => LogLine[] {
  const services = servicesIn(folder)
  if (services.length === 0) throw new Error(`${folder} has no logs: no function has run yet.`)
  if (only !== undefined && !services.includes(only))
    throw new Error(`${only} has logged nothing. These have: ${services.join(', ')}`)
  const filters = new Map<string, (text: string) => LogLine[]>()
  const places = new Map<string, ReadUpTo>()
  return (isOnlyLook) => {
    const lines: LogLine[] = []
    for (const service of servicesIn(folder).filter((each) => only === undefined || each === only)) {
      const filter = filters.get(service) ?? lineFilter(service, query)
      filters.set(service, filter)
      for (const line of newLines(join(folder, `${service}.log`), places, isOnlyLook))
        lines.push(...filter(line))
    }
    return lines.sort((a, b) => a.atMs - b.atMs)
  }
}

/** How far a log was read. The inode tells a file from the one that took its name when it had grown too
 * large and became `.log.1`. */
interface ReadUpTo {
  inode: number
  bytes: number
}

function newLines(path: string, places: Map<string, ReadUpTo>, isOnlyLook: boolean): string[] {
  const before = places.get(path)
  const stat = statSync(path, { throwIfNoEntry: false })
  // It has become `.log.1` just now, and the next look finds both.
  if (!stat) return []
  const isSame = before?.inode === stat.ino
  const from = isSame ? before.bytes : 0
  if (isSame && from === stat.size) return []
  const current = readFrom(path, from)
  const length = isOnlyLook ? current.length : current.lastIndexOf(10) + 1
  places.set(path, { inode: stat.ino, bytes: from + length })
  const older = isSame ? '' : readFrom(`${path}.1`, before?.bytes ?? 0).toString()
  return [...older.split('\n'), ...current.subarray(0, length).toString().split('\n')]
}

/** Returns what a file has from a place on; nothing if there is no such file. */
function readFrom(path: string, place: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0)
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - place))
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, place))
  } finally {
    closeSync(file)
  }
}

const servicesIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).flatMap((file) => /^(.+)\.log$/.exec(file)?.[1] ?? []) : []

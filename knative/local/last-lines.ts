import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { lineFilter, type LogLine } from './log-lines.ts'

/** This much is read from the end of a log, whatever is asked for: the runtime has other things to do. */
const READ_BYTES_MAX = 512 * 1024
/** A longer line is cut. */
const LINE_CHARS_MAX = 4_000

export interface LastLines {
  /** The oldest first. */
  lines: Pick<LogLine, 'atMs' | 'text'>[]
  /** Whether the log has older lines that fit, or that were not looked at. */
  hasOlder: boolean
}

/**
 * Reads the last lines of a function's log, of `level` or above. A log that was begun anew is continued in
 * the one before it.
 * @param folder of the logs
 */
export async function lastLines(
  folder: string,
  service: string,
  { level, limit }: { level?: string | undefined; limit: number },
): Promise<LastLines> {
  const path = join(folder, `${service}.log`)
  const current = await endOf(path, READ_BYTES_MAX)
  const left = READ_BYTES_MAX - Buffer.byteLength(current.text)
  const older = current.isWhole && left > 0 ? await endOf(`${path}.1`, left) : { text: '', isWhole: true }
  const filter = lineFilter(service, { level })
  const fitting = [...older.text.split('\n'), ...current.text.split('\n')].flatMap(filter)
  return {
    lines: fitting.slice(-limit).map(({ atMs, text }) => ({ atMs, text: text.slice(0, LINE_CHARS_MAX) })),
    hasOlder: fitting.length > limit || !current.isWhole || !older.isWhole,
  }
}

/** The whole lines in the last bytes of a file; nothing if there is no such file. */
async function endOf(path: string, bytes: number): Promise<{ text: string; isWhole: boolean }> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!file) return { text: '', isWhole: true }
  try {
    const { size } = await file.stat()
    const from = Math.max(0, size - bytes)
    const buffer = Buffer.alloc(size - from)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from)
    const text = buffer.subarray(0, bytesRead).toString()
    // The first line may have begun before.
    return { text: from === 0 ? text : text.slice(text.indexOf('\n') + 1), isWhole: from === 0 }
  } finally {
    await file.close()
  }
}

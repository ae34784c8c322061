import { createWriteStream, renameSync, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { fileSize } from './daemon.ts'
import { privateFolder } from '../data-folder/own-files.ts'

const FILE_BYTES_MAX = 10_000_000
/** If a log can't be written, its lines are dropped for this long, and then writing is tried again. */
const PAUSE_MS = 1_000

export interface FunctionLogs {
  write(service: string, line: string, pid: number): void
  close(): Promise<void>
}

interface LogFile {
  /** Undefined while the file can't be written. */
  stream: WriteStream | undefined
  bytes: number
  lostLines: number
  retryAt: number
}

/**
 * Keeps the output of the functions. Every line goes to `<dataDir>/logs/<service>.log`; warnings and errors
 * also go to the terminal. A file that grows past 10 MB starts anew, and the one before it is kept. If a file
 * can't be written (a full disk), lines are lost. The terminal is told once, and when the file can be written
 * again, it says how many lines are missing.
 */
export function openFunctionLogs(dataDir: string, terminal: (line: string) => void): FunctionLogs {
  const folder = privateFolder(join(dataDir, 'logs'))
  const files = new Map<string, LogFile>()
  let told = false

  function open(path: string, file: LogFile): void {
    file.bytes = sizeOf(path)
    const stream = createWriteStream(path, { flags: 'a', mode: 0o600 })
    file.stream = stream
    stream.on('error', (error) => {
      if (file.stream !== stream) return
      file.stream = undefined
      file.retryAt = performance.now() + PAUSE_MS
      if (!told) terminal(`logs can't be written, and lines are lost: ${error.message}`)
      told = true
    })
  }

  function opened(service: string): LogFile {
    const path = join(folder, `${service}.log`)
    const file = files.get(service) ?? { stream: undefined, bytes: 0, lostLines: 0, retryAt: 0 }
    files.set(service, file)
    if (file.stream && file.bytes > FILE_BYTES_MAX) {
      file.stream.end()
      file.stream = undefined
      rotate(path)
    }
    if (!file.stream && performance.now() >= file.retryAt) open(path, file)
    return file
  }

  function append(file: LogFile, line: string): void {
    if (!file.stream) return void file.lostLines++
    file.bytes += line.length + 1
    const { lostLines, stream } = file
    const gap = lostLines && `\n(${lostLines} lines are missing here: the log could not be written)\n`
    file.lostLines = 0
    stream.write(`${gap || ''}${line}\n`, (error) => {
      if (error) file.lostLines += lostLines + 1
      else if (gap) told = [...files.values()].some((other) => !other.stream)
    })
  }

  return {
    write(service, line, pid) {
      append(opened(service), line)
      if (isWarning(line)) terminal(`${service}[${pid}] ${line}`)
    },
    async close() {
      const streams = [...files.values()].flatMap(({ stream }) => stream ?? [])
      await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.end(() => resolve()))))
    },
  }
}

function rotate(path: string): void {
  try {
    renameSync(path, `${path}.1`)
  } catch {
    // The file grows on. The next line tries again.
  }
}

function sizeOf(path: string): number {
  try {
    return fileSize(path)
  } catch {
    return 0
  }
}

/**
 * Whether a line is a warning or worse. Functions log JSON with a level. Any other line comes from an error
 * before or outside of the function's own log.
 */
function isWarning(line: string): boolean {
  if (!line.startsWith('{"')) return line.trim() !== ''
  try {
    const { level } = JSON.parse(line) as { level?: unknown }
    return level === 'warn' || level === 'error'
  } catch {
    return true
  }
}

import { createWriteStream, mkdirSync, renameSync, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { fileSize } from './daemon.ts'

const FILE_BYTES_MAX = 10_000_000

export interface FunctionLogs {
  write(service: string, line: string, pid: number): void
  close(): Promise<void>
}

/**
 * Keeps what the functions write: every line in `<dataDir>/logs/<service>.log`, and what is a warning or worse on the
 * terminal too. A file that has grown past 10 MB starts anew; the one before is kept.
 */
export function openFunctionLogs(dataDir: string, terminal: (line: string) => void): FunctionLogs {
  const folder = join(dataDir, 'logs')
  mkdirSync(folder, { recursive: true })
  const files = new Map<string, { stream: WriteStream; bytes: number }>()

  function open(service: string) {
    const path = join(folder, `${service}.log`)
    const bytes = fileSize(path)
    const file = { stream: createWriteStream(path, { flags: 'a', mode: 0o600 }), bytes }
    files.set(service, file)
    return file
  }

  function opened(service: string) {
    const file = files.get(service) ?? open(service)
    if (file.bytes <= FILE_BYTES_MAX) return file
    file.stream.end()
    const path = join(folder, `${service}.log`)
    renameSync(path, `${path}.1`)
    return open(service)
  }

  return {
    write(service, line, pid) {
      const file = opened(service)
      file.stream.write(`${line}\n`)
      file.bytes += line.length + 1
      if (isWarning(line)) terminal(`${service}[${pid}] ${line}`)
    },
    async close() {
      const streams = [...files.values()].map(({ stream }) => stream)
      await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.end(() => resolve()))))
    },
  }
}

/** Lines of our functions are JSON with a level; anything else is something that went wrong before or beside them. */
function isWarning(line: string): boolean {
  if (!line.startsWith('{"')) return line.trim() !== ''
  try {
    const { level } = JSON.parse(line) as { level?: unknown }
    return level === 'warn' || level === 'error'
  } catch {
    return true
  }
}

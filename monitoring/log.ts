const LEVELS = { debug: 10, info: 20, warn: 30, error: 40, off: 100 } as const

/** `off` is for tests that provoke errors. */
export type Level = keyof typeof LEVELS
export type Fields = Record<string, unknown>

/** One JSON object a line on stdout: time, level, service, message, and fields. Never secrets or bodies. */
export interface Log {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** Whether lines of this level are written: for fields that would cost something to put together. */
  takes(level: Exclude<Level, 'off'>): boolean
  /** The same log with fields that every line carries (trace id, request id). */
  with(fields: Fields): Log
}

/** Thirty lines of our own: a logging package would be loaded by every cold start before the port opens. */
export function createLog(
  base: Fields,
  least: Level = 'info',
  write: (line: string) => void = (line) => void process.stdout.write(line),
): Log {
  const at =
    (level: Exclude<Level, 'off'>) =>
    (message: string, fields?: Fields): void => {
      if (LEVELS[level] < LEVELS[least]) return
      write(`${JSON.stringify({ time: new Date().toISOString(), level, ...base, message, ...fields })}\n`)
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    takes: (level) => LEVELS[level] >= LEVELS[least],
    with: (fields) => createLog({ ...base, ...fields }, least, write),
  }
}

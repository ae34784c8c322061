const LEVELS = { debug: 10, info: 20, warn: 30, error: 40, off: 100 } as const

/** `off` is for tests that provoke errors. */
export type Level = keyof typeof LEVELS
export type Fields = Record<string, unknown>

/** Writes one JSON object per line to stdout: time, level, service, message, and further fields. It must
 * never get secrets or bodies. */
export interface Log {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** Returns whether lines of this level are written. Ask before making fields that are expensive. */
  takes(level: Exclude<Level, 'off'>): boolean
  /** Returns a log that adds these fields to every line (trace id, request id). */
  with(fields: Fields): Log
}

/** Creates a log. It is thirty lines of our own, because every cold start would have to load a logging
 * package before the port opens. */
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

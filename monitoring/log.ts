import type { FieldName } from './log-fields.ts'

const LEVELS = { debug: 10, info: 20, warn: 30, error: 40, off: 100 } as const

/** `off` is for tests that provoke errors. */
export type Level = keyof typeof LEVELS
type Written = Exclude<Level, 'off'>
export type Fields = Partial<Record<FieldName, unknown>>

/** Longest text of a value, in characters. What is longer is cut, and ends with an ellipsis. */
const VALUE_MAX = 1_000
/** Most items of a list. */
const LIST_MAX = 100

/** Number of lines that this process has written, by level. */
export const linesWritten: Record<Written, number> = { debug: 0, info: 0, warn: 0, error: 0 }

/** Writes one JSON object per line to stdout: time, level, service, message, and further fields. It must
 * never get names, emails, addresses, passwords, tokens, keys, amounts or bodies.
 *
 * error: somebody must look. warn: it was worked round. info: refusals, starts and stops. debug: every
 * answer. */
export interface Log {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** Returns whether lines of this level are written. Ask before making fields that are expensive. */
  takes(level: Written): boolean
  /** Returns a log that adds these fields to every line (trace id, request id). */
  with(fields: Fields): Log
}

/** Creates a log. It is short and our own, because every cold start would have to load a logging package
 * before the port opens. */
export function createLog(
  base: Fields,
  least: Level = 'info',
  write: (line: string) => void = (line) => void process.stdout.write(line),
): Log {
  const at =
    (level: Written) =>
    (message: string, fields?: Fields): void => {
      if (LEVELS[level] < LEVELS[least]) return
      linesWritten[level]++
      write(
        `${JSON.stringify({ time: new Date().toISOString(), level, ...base, message, ...fields }, cut)}\n`,
      )
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

/** Keeps a value to a kilobyte, and a list to a hundred items. A bigint has no JSON, and would throw. */
function cut(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string' && value.length > VALUE_MAX) return `${value.slice(0, VALUE_MAX)}…`
  return Array.isArray(value) && value.length > LIST_MAX ? [...value.slice(0, LIST_MAX), '…'] : value
}

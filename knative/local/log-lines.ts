/** Which lines are wanted; what is undefined does not matter. */
export interface LogQuery {
  trace?: string | undefined
  /** The least level. */
  level?: string | undefined
  /** Moment in ms since 1970; older lines are left out. */
  sinceMs?: number | undefined
  /** A text that the line contains, in upper or lower case. */
  grep?: string | undefined
}

export interface LogLine {
  /** Moment in ms since 1970. A line without a time has that of the line before it. */
  atMs: number
  service: string
  text: string
}

const LEVELS = ['debug', 'info', 'warn', 'error']

/**
 * Checks the options that name a level or a period.
 * @throws Error that says what was expected
 */
export function logQuery(given: Record<'trace' | 'level' | 'since' | 'grep', string | undefined>): LogQuery {
  const { trace, level, since, grep } = given
  if (level !== undefined && !LEVELS.includes(level))
    throw new Error(`expected one of the levels ${LEVELS.join(', ')}, got ${level}`)
  return { trace, level, grep, ...(since !== undefined && { sinceMs: Date.now() - durationOf(since) }) }
}

/**
 * Returns a function that takes the lines of one service in their order and returns those that are wanted.
 * A line that is no JSON of our log (a warning of Node, a line cut short by a kill) counts as a warning, as
 * on the terminal of `npm start`, and has the time of the line before it.
 */
export function lineFilter(service: string, query: LogQuery): (text: string) => LogLine[] {
  let atMs = 0
  return (text) => {
    if (text.trim() === '') return []
    const fields = fieldsOf(text)
    atMs = Date.parse(String(fields.time)) || atMs
    return isWanted(text, fields, atMs, query) ? [{ atMs, service, text }] : []
  }
}

function isWanted(text: string, fields: Record<string, unknown>, atMs: number, query: LogQuery): boolean {
  const { trace, level, sinceMs, grep } = query
  const own = LEVELS.includes(String(fields.level)) ? String(fields.level) : 'warn'
  return (
    (trace === undefined || fields.trace_id === trace) &&
    (level === undefined || LEVELS.indexOf(own) >= LEVELS.indexOf(level)) &&
    (sinceMs === undefined || atMs >= sinceMs) &&
    (grep === undefined || text.toLowerCase().includes(grep.toLowerCase()))
  )
}

function fieldsOf(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Returns a line without what would steer a terminal. JSON has nothing of that, but other lines may. */
export const printable = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Returns the ms of `90s`, `15m`, `2h` or `1d`. */
function durationOf(text: string): number {
  const [, number, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  if (!number || !unit) throw new Error(`expected a period like 90s, 15m, 2h or 1d, got ${text}`)
  return Number(number) * UNITS[unit]!
}

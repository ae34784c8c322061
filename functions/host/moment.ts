import { ProblemError, problems } from './problems.ts'

/** Schema of a moment in a query (RFC 3339). */
export const momentSchema = { type: 'string', format: 'date-time', maxLength: 40 } as const

export const YEAR_MAX = 9999

/** Reads a moment (RFC 3339). Throws what `refuse` makes of the path and what is wrong: a ProblemError (400).
 * Postgres has no year 0; `yearMin` is 0 only where the moment reaches it as a Date, which the driver writes
 * as 1 BC. */
export function readMoment(text: string, path: string, { yearMin = 1, refuse = invalidQuery } = {}): Date {
  const moment = new Date(text)
  const year = moment.getUTCFullYear()
  // The schema accepts two kinds of invalid moments: leap seconds, which JavaScript doesn't have, and moments
  // whose offset moves them out of these years.
  if (year >= yearMin && year <= YEAR_MAX) return moment
  throw refuse(path, 'must be an existing moment in the years 0001 to 9999 UTC')
}

/** Schema of a moment, or of a date, which stands for its beginning in UTC. */
export const dateOrMoment = {
  anyOf: [{ type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' }, momentSchema],
} as const

/** Reads a moment, or a date: its beginning in UTC. Throws as readMoment() does. */
export function readStart(text: string, path: string, refuse = invalidQuery): Date {
  const isDate = text.length === 10
  const moment = readMoment(isDate ? `${text}T00:00:00Z` : text, path, { refuse })
  // JavaScript takes 31 February for 3 March.
  if (isDate && !moment.toISOString().startsWith(text)) throw refuse(path, 'must be an existing day')
  return moment
}

/** Returns the refusal (400) of a query parameter; `path` points at it. */
export const invalidQuery = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The query does not match what this operation accepts.', {
    errors: [{ path, message }],
  })

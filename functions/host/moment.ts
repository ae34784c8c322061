import { ProblemError, problems } from './problems.ts'

// The years that Postgres has. The contract says it to tools without look-ahead too.
const YEAR = '^([1-9]|0[1-9]|00[1-9]|000[1-9])'

/** Schema of a moment (RFC 3339). There are no leap seconds. */
export const momentSchema = {
  type: 'string',
  format: 'date-time',
  maxLength: 40,
  'x-contract': { pattern: `${YEAR}[^:]*:[^:]*:[0-5]` },
} as const

export const YEAR_MAX = 9999

/** Returns the moment of a text of momentSchema. With a blank for the T, JavaScript takes the year 0049 for
 * 2049. */
export const toDate = (text: string): Date => new Date(text.replace(' ', 'T'))

/** Reads a moment (RFC 3339). Throws what `refuse` makes of the path and what is wrong: a ProblemError
 * (400). */
export function readMoment(text: string, path: string, refuse = invalidQuery): Date {
  const moment = toDate(text)
  const year = moment.getUTCFullYear()
  // An offset may move it out of these years.
  if (year >= 1 && year <= YEAR_MAX) return moment
  throw refuse(path, 'must be an existing moment in the years 0001 to 9999 UTC')
}

/** Schema of a moment, or of a date, which stands for its beginning in UTC. */
export const dateOrMoment = {
  anyOf: [
    { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$', 'x-contract': { format: 'date', pattern: YEAR } },
    momentSchema,
  ],
} as const

/** Reads a moment, or a date: its beginning in UTC. Throws as readMoment() does. */
export function readStart(text: string, path: string, refuse = invalidQuery): Date {
  const isDate = text.length === 10
  const moment = readMoment(isDate ? `${text}T00:00:00Z` : text, path, refuse)
  // JavaScript takes 31 February for 3 March.
  if (isDate && !moment.toISOString().startsWith(text)) throw refuse(path, 'must be an existing day')
  return moment
}

/** Returns the refusal (400) of a query parameter; `path` points at it. */
export const invalidQuery = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The query does not match what this operation accepts.', {
    errors: [{ path, message }],
  })

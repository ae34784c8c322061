import { ProblemError, problems } from '../../host/problems.ts'

export const momentSchema = { type: 'string', format: 'date-time', maxLength: 40 } as const

const YEAR_MAX = 9999

/** Reads a moment from the query (RFC 3339). Throws a ProblemError (400) that points at `path`. */
export function readMoment(text: string, path: string): Date {
  const moment = new Date(text)
  const year = moment.getUTCFullYear()
  // The schema accepts two kinds of invalid moments: leap seconds, which JavaScript doesn't have, and moments
  // whose offset moves them out of these years.
  if (year >= 0 && year <= YEAR_MAX) return moment
  throw invalidQuery(path, 'must be an existing moment in the years 0000 to 9999 UTC')
}

/** Says whether the text is a moment as toISOString() writes it, and one that Postgres can read. JavaScript
 * takes 31 February for 3 March, and has a year 0; Postgres refuses both. */
export function isMoment(text: string): boolean {
  const moment = new Date(text)
  const year = moment.getUTCFullYear()
  return year >= 1 && year <= YEAR_MAX && moment.toISOString() === text
}

/** Returns the refusal (400) of a query parameter; `path` points at it. */
export const invalidQuery = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The query does not match what this operation accepts.', {
    errors: [{ path, message }],
  })

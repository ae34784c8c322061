import { ProblemError, problems } from './problems.ts'

/** Schema of a moment in a query (RFC 3339). */
export const momentSchema = { type: 'string', format: 'date-time', maxLength: 40 } as const

export const YEAR_MAX = 9999

/** Reads a moment from the query (RFC 3339). Throws a ProblemError (400) that points at `path`. Postgres has
 * no year 0; `yearMin` is 0 only where the moment reaches it as a Date, which the driver writes as 1 BC. */
export function readMoment(text: string, path: string, yearMin = 1): Date {
  const moment = new Date(text)
  const year = moment.getUTCFullYear()
  // The schema accepts two kinds of invalid moments: leap seconds, which JavaScript doesn't have, and moments
  // whose offset moves them out of these years.
  if (year >= yearMin && year <= YEAR_MAX) return moment
  throw invalidQuery(path, 'must be an existing moment in the years 0001 to 9999 UTC')
}

/** Returns the refusal (400) of a query parameter; `path` points at it. */
export const invalidQuery = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The query does not match what this operation accepts.', {
    errors: [{ path, message }],
  })

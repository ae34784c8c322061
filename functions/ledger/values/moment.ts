import { ProblemError, problems } from '../../host/problems.ts'

export const momentSchema = { type: 'string', format: 'date-time', maxLength: 40 } as const

const YEAR_MAX = 9999

/** A moment that came in the query (RFC 3339). Throws a ProblemError (400) that points at `path`. */
export function readMoment(text: string, path: string): Date {
  const moment = new Date(text)
  const year = moment.getUTCFullYear()
  // The schema lets in leap seconds, which JavaScript does not know, and by way of its offset a year beyond
  // the last.
  if (year >= 0 && year <= YEAR_MAX) return moment
  throw invalidMoment(path, 'must be a moment that exists, of the years 0000 to 9999 UTC')
}

/** True for a moment as toISOString() writes it, and as Postgres can read it: JavaScript takes 31 February
 * for 3 March and knows a year 0, Postgres refuses both. */
export function isMoment(text: string): boolean {
  const moment = new Date(text)
  const year = moment.getUTCFullYear()
  return year >= 1 && year <= YEAR_MAX && moment.toISOString() === text
}

export const invalidMoment = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The query is not what this operation takes.', {
    errors: [{ path, message }],
  })

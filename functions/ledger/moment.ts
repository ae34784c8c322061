import { ProblemError, problems } from '../../knative/host/problems.ts'

export const momentSchema = { type: 'string', format: 'date-time', maxLength: 40 } as const

/** A moment that came in the query (RFC 3339). Throws a ProblemError (400) that points at `path`. */
export function readMoment(text: string, path: string): Date {
  const moment = new Date(text)
  // The schema lets in leap seconds, which JavaScript does not know.
  if (Number.isNaN(moment.getTime())) throw invalidMoment(path, 'must be a moment that exists')
  return moment
}

export const invalidMoment = (path: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The query is not what this operation takes.', {
    errors: [{ path, message }],
  })

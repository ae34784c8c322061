import { momentSchema, readMoment } from '../../host/moment.ts'
import { ProblemError, problems, type FieldError } from '../../host/problems.ts'
import { reasonText } from '../../host/schema.ts'

/** What every new version of a policy has: from when it holds, and why. */
export const policyFields = {
  valid_from: momentSchema,
  reason: reasonText,
} as const

/** Returns the refusal (400) of a body that the schema accepts and the rules don't. */
export const invalidBody = (errors: FieldError[]): ProblemError =>
  new ProblemError(problems.invalidInput, 'The body does not match what this operation accepts.', { errors })

/** Reads from when a version holds; null: from now. Throws a ProblemError (400) for a moment that does not
 * exist. Whether it is in the future, only the database says: its clock is the one that counts. */
export function readValidFrom(text: string | undefined): Date | null {
  if (text === undefined) return null
  return readMoment(text, '/valid_from', (path, message) => invalidBody([{ path, message }]))
}

export const inThePast = (): ProblemError =>
  invalidBody([
    { path: '/valid_from', message: 'must be in the future; without it, the change holds from now' },
  ])

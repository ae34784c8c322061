import type { ErrorObject, ValidateFunction } from 'ajv'
import type { AnyRoute } from '../operation.ts'
import { ProblemError, problems, type FieldError } from '../problems.ts'
import { TEXT, WORDS } from '../schema.ts'
import { NO_UNSEEN } from '../values/unseen.ts'

export type Part = 'body' | 'query' | 'params'

/** Compiled schemas of one operation, by `METHOD /path` and part. In a bundle the build has compiled them to
 * code, because compiling schemas would lengthen every cold start (see compile-validators.ts). */
export type Validators = Readonly<Record<string, Partial<Record<Part, ValidateFunction>>>>

export const routeKey = (route: Pick<AnyRoute, 'method' | 'path'>): string => `${route.method} ${route.path}`

/** Returns the key under which the schema of a consumed event is found. */
export const eventKey = (type: string): string => `EVENT ${type}`

const ERRORS_MAX = 20

/** Checks one part of a request in place: fills in defaults, and converts text in query and params. Throws a
 * ProblemError: 400 with every fault, or 404 if the path's parameters can't name anything. */
export function validate(validator: ValidateFunction | undefined, part: Part, value: unknown): void {
  if (!validator || validator(value)) return
  if (part === 'params') throw new ProblemError(problems.notFound, 'There is nothing at this address.')
  // A failed `if` only follows from another fault, which says why.
  const faults = (validator.errors ?? []).filter(({ keyword }) => keyword !== 'if')
  const errors = faults.slice(0, ERRORS_MAX).map(toFieldError)
  throw new ProblemError(problems.invalidInput, `The ${part} does not match what this operation accepts.`, {
    errors,
  })
}

/** What says more than the pattern to the one who wrote the text. */
const sentences: Readonly<Record<string, string>> = {
  [TEXT]: NO_UNSEEN,
  [WORDS]: `must not be blank, and ${NO_UNSEEN}`,
}

/** Returns what is wrong with a value, as a sentence without its subject. */
export function messageOf({ keyword, params, message = 'is not valid' }: ErrorObject): string {
  if (keyword !== 'pattern') return message
  const { pattern } = params as { pattern: string }
  return sentences[pattern] ?? `must match pattern "${pattern}"`
}

function toFieldError(error: ErrorObject): FieldError {
  const params = error.params as {
    missingProperty?: string
    additionalProperty?: string
    allowedValues?: unknown[]
  }
  switch (error.keyword) {
    case 'required':
      return { path: `${error.instancePath}/${params.missingProperty}`, message: 'is required' }
    case 'additionalProperties':
      return { path: `${error.instancePath}/${params.additionalProperty}`, message: 'is not known here' }
    case 'enum':
      return { path: error.instancePath, message: `must be one of ${params.allowedValues?.join(', ')}` }
    default:
      return { path: error.instancePath, message: messageOf(error) }
  }
}

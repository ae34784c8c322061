import type { ErrorObject, ValidateFunction } from 'ajv'
import type { AnyRoute } from '../operation.ts'
import { ProblemError, problems, type FieldError } from '../problems.ts'

export type Part = 'body' | 'query' | 'params'

/** Compiled schemas of one operation, by `METHOD /path` and part. In a bundle they are code that the build
 * wrote, because compiling schemas would lengthen every cold start; see compile-validators.ts. */
export type Validators = Readonly<Record<string, Partial<Record<Part, ValidateFunction>>>>

export const routeKey = (route: Pick<AnyRoute, 'method' | 'path'>): string => `${route.method} ${route.path}`

/** Key of the schema of an event that the operation consumes. */
export const eventKey = (type: string): string => `EVENT ${type}`

const ERRORS_MAX = 20

/** Checks one part of a request in place (defaults are filled in; query and params are coerced).
 * Throws a ProblemError: 400 with every fault, or 404 where the path itself cannot name anything. */
export function validate(validator: ValidateFunction | undefined, part: Part, value: unknown): void {
  if (!validator || validator(value)) return
  if (part === 'params') throw new ProblemError(problems.notFound, 'There is nothing at this address.')
  // That a condition of the schema was not met follows from another fault, which says why.
  const faults = (validator.errors ?? []).filter(({ keyword }) => keyword !== 'if')
  const errors = faults.slice(0, ERRORS_MAX).map(toFieldError)
  throw new ProblemError(
    problems.invalidInput,
    part === 'query'
      ? 'The query is not what this operation takes.'
      : 'The body is not what this operation takes.',
    { errors },
  )
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
      return { path: error.instancePath, message: error.message ?? 'is not valid' }
  }
}

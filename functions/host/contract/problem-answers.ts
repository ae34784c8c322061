import { problemDetails, PROBLEM_JSON, type ProblemType } from '../../../eventing/problem.ts'
import { typeName } from './operation-id.ts'
import { rules } from './rules.ts'
import type { JsonObject, Schemas } from './schemas.ts'

const fieldErrorSchema = {
  title: 'FieldError',
  type: 'object',
  additionalProperties: false,
  required: ['path', 'message'],
  description:
    'A request that fits its schema has none but those of `x-rules`: each has patterns of `path` and `message`.',
  'x-rules': rules,
  properties: {
    path: { type: 'string', description: 'JSON pointer (RFC 6901) to what is wrong.' },
    message: { type: 'string', description: 'What is wrong with it: a sentence without its subject.' },
  },
} as const

/** Schema of ProblemDetails. */
export const problemSchema = {
  title: 'Problem',
  type: 'object',
  description: 'Why a request was refused (RFC 9457). Nothing was changed, unless the status is above 499.',
  additionalProperties: false,
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', format: 'uri', description: 'Never changes; tell problems apart by it.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'A sentence for people.' },
    errors: { type: 'array', items: fieldErrorSchema },
  },
} as const

const retryAfter = {
  description: 'Seconds to wait before the next try.',
  schema: { type: 'integer', minimum: 0 },
}

const HEADERS: Readonly<Record<number, JsonObject>> = {
  401: {
    'WWW-Authenticate': {
      description: 'What is wrong with the token (RFC 6750).',
      schema: { type: 'string' },
    },
  },
  429: {
    'Retry-After': retryAfter,
    'RateLimit-Policy': {
      description: 'The quotas of this client: name, number of requests (q), seconds of a window (w).',
      schema: { type: 'string' },
    },
    RateLimit: {
      description: 'What is left of each: requests (r), and seconds until all are there again (t).',
      schema: { type: 'string' },
    },
  },
  503: { 'Retry-After': retryAfter },
}

/** How many problems a name can hold. */
const NAMED_MAX = 2

/** Collects the answers with problems, so that what many routes answer is written once. */
export class ProblemAnswers {
  readonly #schemas: Schemas
  readonly #responses: JsonObject = {}

  constructor(schemas: Schemas) {
    this.#schemas = schemas
  }

  /** Returns the answers by status. */
  of(types: readonly ProblemType[]): JsonObject {
    const byStatus = new Map<number, Map<string, ProblemType>>()
    for (const type of types) {
      const here = byStatus.get(type.status) ?? new Map<string, ProblemType>()
      byStatus.set(type.status, here.set(type.name, type))
    }
    const statuses = [...byStatus].sort(([a], [b]) => a - b)
    return Object.fromEntries(
      statuses.map(([status, here]) => [String(status), this.#answer([...here.values()])]),
    )
  }

  get components(): JsonObject {
    const names = Object.keys(this.#responses).sort()
    return Object.fromEntries(names.map((name) => [name, this.#responses[name]!]))
  }

  #answer(types: readonly ProblemType[]): JsonObject {
    const sorted = [...types].sort((a, b) => a.name.localeCompare(b.name, 'en'))
    const written = this.#written(sorted)
    if (sorted.length > NAMED_MAX) return written
    const name = sorted.map((type) => typeName(type.name)).join('Or')
    this.#responses[name] = written
    return { $ref: `#/components/responses/${name}` }
  }

  #written(types: readonly ProblemType[]): JsonObject {
    const problem = this.#schemas.add(problemSchema)
    const examples = types.map((type): [string, JsonObject] => [
      type.name,
      { value: exampleOf(type) as unknown as JsonObject },
    ])
    const uris = examples.map(([, { value }]) => (value as JsonObject).type!)
    return {
      description: types.map(({ title }) => `${title}.`).join(' '),
      ...(HEADERS[types[0]!.status] && { headers: HEADERS[types[0]!.status]! }),
      content: {
        [PROBLEM_JSON]: {
          schema: {
            allOf: [problem, { type: 'object', properties: { type: { enum: uris } } }],
          },
          examples: Object.fromEntries(examples),
        },
      },
    }
  }
}

const exampleOf = (type: ProblemType) =>
  problemDetails(
    type,
    `${type.title}.`,
    type.name === 'invalid-input' ? [{ path: '/amount', message: 'is required' }] : undefined,
  )

import type { DescribedRoute } from '../operation.ts'
import type { ObjectSchema } from './object-schema.ts'
import type { JsonObject, Schemas } from './schemas.ts'

/** Writes the parameters that the path, the query and the headers of an address take. `hasTag` says that its
 * answer has an ETag. */
export function parametersOf(
  routes: readonly DescribedRoute[],
  schemas: Schemas,
  hasTag: boolean,
): JsonObject[] {
  const [first] = routes as [DescribedRoute]
  return [
    ...named('path', first.params, schemas),
    ...named('query', first.query, schemas),
    ...(routes.some((route) => route.idempotent) ? [idempotencyKey] : []),
    ...(routes.some((route) => route.async) ? [prefer] : []),
    ...(hasTag ? [ifNoneMatch] : []),
    ...(first.resumes ? [lastEventId] : []),
  ]
}

function named(place: 'path' | 'query', schema: object | undefined, schemas: Schemas): JsonObject[] {
  const { required = [], properties = {} } = (schema ?? {}) as ObjectSchema
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema: schemas.add(withoutNul(property as JsonObject)),
  }))
}

/** The host refuses a NUL in any URL. */
const withoutNul = (property: JsonObject): JsonObject =>
  property.type === 'string' && !('pattern' in property || 'format' in property)
    ? { ...property, 'x-contract': { pattern: '^[^\\u0000]*$', ...(property['x-contract'] as JsonObject) } }
    : property

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Makes repeats safe: a second request with the same key and body gets the first answer, and changes nothing.',
  schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
}

const prefer = {
  name: 'Prefer',
  in: 'header',
  required: false,
  description: '`respond-async` (RFC 7240): answer 202 as soon as the request is stored.',
  schema: { type: 'string' },
  example: 'respond-async',
}

const ifNoneMatch = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'The ETag of what you have: if nothing has changed, the answer is 304.',
  schema: { type: 'string' },
}

const lastEventId = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'The id of the last event that came, to go on after it.',
  schema: { type: 'string', minLength: 1, maxLength: 60 },
}

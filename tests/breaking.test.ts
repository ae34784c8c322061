import { brokenEvents, brokenPaths, inlined } from './support/breaking.ts'
import { read } from './support/repository.ts'

/** The comparison of two contracts sees a change wherever it is: each route, field and event of this bank is
 * changed once. tests/compatibility.test.ts shows what counts as a change. */

// The documents are JSON of any shape.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any

const openapi = JSON.parse(read('functions/web/openapi.json')) as Json
const asyncapi = JSON.parse(read('functions/web/asyncapi.json')) as Json

interface Call {
  name: string
  operation: Json
  /** The paths of a document with nothing but this call. */
  paths: Json
}

const calls: readonly Call[] = Object.entries<Json>(inlined(openapi)).flatMap(([path, item]) =>
  Object.entries<Json>(item).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    operation,
    paths: { [path]: { [method]: operation } },
  })),
)

interface Change {
  what: string
  /** The object that changes. */
  of: Json
  make: () => void
}

/** Makes each change, one after the other, and returns those that the comparison does not see. With
 * `backwards`, the change is in the contract that was given out, and is taken back in the new one. */
function unseen(changesOf: (operation: Json) => Change[], { backwards = false } = {}): string[] {
  return calls.flatMap(({ name, operation, paths }) => {
    const before = structuredClone(paths)
    return changesOf(operation).flatMap(({ what, of, make }) => {
      const kept = { ...of }
      make()
      const broken = backwards ? brokenPaths(paths, before) : brokenPaths(before, paths)
      for (const key of Object.keys(of as object)) delete of[key]
      Object.assign(of, kept)
      return broken.length > 0 ? [] : [`${name}: ${what}`]
    })
  })
}

/** The schemas in a schema, and itself. */
function within(schema: Json): Json[] {
  const parts = [
    ...Object.values<Json>(schema.properties ?? {}),
    ...((schema.anyOf ?? schema.oneOf ?? []) as Json[]),
    ...[schema.items, schema.additionalProperties, schema.propertyNames],
  ]
  return [schema, ...parts.filter((part) => typeof part === 'object').flatMap(within)]
}

const schemasIn = (content: Json = {}): Json[] =>
  Object.values<Json>(content).flatMap(({ schema }) => (schema ? within(schema) : []))

const answered = ({ responses }: Json): Json[] =>
  Object.entries<Json>(responses)
    .filter(([status]) => Number(status) < 400)
    .flatMap(([, { content }]) => schemasIn(content))

const sent = ({ requestBody, parameters = [] }: Json): Json[] => [
  ...schemasIn(requestBody?.content),
  ...(parameters as Json[]).flatMap(({ schema }) => within(schema)),
]

/** Returns a filter that lets each schema through once: many routes have the same. */
const onlyNew = () => {
  const seen = new Set<string>()
  return (schema: Json): boolean => seen.size < seen.add(JSON.stringify(schema)).size
}

const fieldsGone = (schemas: Json[]): Change[] =>
  schemas.flatMap(({ properties = {} }) =>
    Object.keys(properties as object).map((name) => ({
      what: `${name} is gone`,
      of: properties as object,
      make: () => delete properties[name],
    })),
  )

test('the bank has routes and events to change', () => {
  expect(calls.length).toBeGreaterThan(100)
  expect(Object.keys(asyncapi.components.messages as object).length).toBeGreaterThan(20)
})

test('a route that is gone', () => {
  expect(calls.filter(({ paths }) => brokenPaths(paths, {}).length === 0)).toEqual([])
})

test('a field of an answer that is gone', () => {
  const isNew = onlyNew()
  expect(unseen((operation) => fieldsGone(answered(operation).filter(isNew)))).toEqual([])
})

test('a field of a body that is gone', () => {
  expect(unseen((operation) => fieldsGone(schemasIn(operation.requestBody?.content)))).toEqual([])
})

test('a new field that a body must have', () => {
  const demand = (schema: Json): Change => ({
    what: 'a new field is required',
    of: schema,
    make: () => (schema.required = [...((schema.required ?? []) as string[]), 'new']),
  })
  expect(
    unseen((operation) =>
      schemasIn(operation.requestBody?.content)
        .filter(({ properties }) => properties)
        .map(demand),
    ),
  ).toEqual([])
})

test('a value that is no longer taken', () => {
  const narrow = (schema: Json): Change => ({
    what: `${schema.enum.at(-1)} is gone`,
    of: schema,
    make: () => (schema.enum = schema.enum.slice(0, -1)),
  })
  expect(
    unseen((operation) =>
      sent(operation)
        .filter((schema) => schema.enum)
        .map(narrow),
    ),
  ).toEqual([])
})

test('a value that is new in an answer', () => {
  const widen = (schema: Json): Change => ({
    what: `beside ${schema.enum[0]}`,
    of: schema,
    make: () => (schema.enum = [...(schema.enum as Json[]), 'new']),
  })
  expect(
    unseen((operation) =>
      answered(operation)
        .filter((schema) => schema.enum)
        .map(widen),
    ),
  ).toEqual([])
})

/** Keywords that limit nothing. */
const NOTES = /^(x-.*|title|description|examples?|default|deprecated|discriminator|contentMediaType)$/

const without =
  (schema: Json) =>
  (name: string): Change => ({
    what: `${name} of ${JSON.stringify(schema).slice(0, 80)}`,
    of: schema,
    make: () => delete schema[name],
  })

const limitsOf = (schema: Json, free: readonly string[]): string[] =>
  Object.keys(schema as object).filter((name) => !NOTES.test(name) && !free.includes(name))

test('a limit, of whatever kind, that is new for what is taken', () => {
  // A property that nobody has sent by now may be described.
  const changes = (schema: Json) => limitsOf(schema, ['properties']).map(without(schema))
  const isNew = onlyNew()
  expect(unseen((operation) => sent(operation).filter(isNew).flatMap(changes), { backwards: true })).toEqual(
    [],
  )
})

test('a limit, of whatever kind, that what is given no longer has', () => {
  // Clients can't rely on how long, large or many values are, or on there being no other fields.
  const free = [
    ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'uniqueItems'],
    ...['minProperties', 'maxProperties'],
  ]
  const changes = (schema: Json) =>
    limitsOf(schema, schema.additionalProperties === false ? [...free, 'additionalProperties'] : free).map(
      without(schema),
    )
  const isNew = onlyNew()
  expect(unseen((operation) => answered(operation).filter(isNew).flatMap(changes))).toEqual([])
})

test('a route that only operators may call now', () => {
  const restrict = (operation: Json): Change[] => {
    const [first] = operation.security as Record<string, string[]>[]
    if (first && Object.values(first).flat().includes('operator')) return []
    const make = () => (operation.security = [{ bearer: ['operator'] }])
    return [{ what: 'operators only', of: operation, make }]
  }
  expect(unseen(restrict)).toEqual([])
})

test('an event that is gone, or has lost a field or an attribute', () => {
  const messages = asyncapi.components.messages as Record<string, Json>
  const only = (type: string, message: Json) => ({ components: { messages: { [type]: message } } })
  const lost = Object.entries(messages).flatMap(([type, message]) => {
    const without = (part: string, name: string): boolean => {
      const changed = structuredClone(message)
      delete changed[part].properties[name]
      return brokenEvents(only(type, message), only(type, changed)).length === 0
    }
    const fields = (part: string): string[] => Object.keys(message[part].properties as object)
    return [
      ...(brokenEvents(only(type, message), { components: { messages: {} } }).length === 0 ? [type] : []),
      ...fields('payload').filter((name) => without('payload', name)),
      // The version, by which the others are compared.
      ...fields('headers').filter((name) => name !== 'ce-dataschema' && without('headers', name)),
    ]
  })
  expect(lost).toEqual([])
})

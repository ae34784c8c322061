/** Compares two versions of the contract, and finds what breaks clients and consumers of the old one.
 * It looks at removed routes, parameters, answers and events, and in schemas at types, values, limits,
 * required and removed properties, and alternatives. */

// The documents are JSON of any shape.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Json = any

/** Who sends the values of a schema. What the bank takes may become looser, and what it gives stricter; the
 * other way round, others break. */
type Direction = 'taken' | 'given'

/** Returns a sentence for each change from `before` to `after` that breaks clients of an OpenAPI document. */
export function brokenRoutes(before: Json, after: Json): string[] {
  const [old, now] = [inlined(before), inlined(after)]
  return Object.entries<Json>(old.paths).flatMap(([path, item]) =>
    Object.entries<Json>(item).flatMap(([method, operation]) => {
      const name = `${method.toUpperCase()} ${path}`
      const next = now.paths[path]?.[method]
      return next ? brokenOperation(operation, next, name) : [`${name} is gone`]
    }),
  )
}

/** Returns a sentence for each change from `before` to `after` that breaks consumers of an AsyncAPI document.
 * An event with a new version may be anything: it has another `dataschema`. */
export function brokenEvents(before: Json, after: Json): string[] {
  const messages = after.components.messages as Record<string, Json>
  return Object.entries<Json>(before.components.messages).flatMap(([type, message]) => {
    const next = messages[type]
    if (!next) return [`${type} is gone`]
    const version = (one: Json): string => one.headers.properties['ce-dataschema'].const as string
    return version(message) === version(next)
      ? brokenSchema(message.payload, next.payload, type, 'given')
      : []
  })
}

function brokenOperation(old: Json, now: Json, at: string): string[] {
  const parameters = (operation: Json): Map<string, Json> =>
    new Map(
      (operation.parameters ?? []).map((one: Json): [string, Json] => [
        `${at} ${one.in} parameter ${one.name}`,
        one,
      ]),
    )
  const [known, present] = [parameters(old), parameters(now)]
  const ofParameters = [
    ...[...known].flatMap(([name, one]) => {
      const next = present.get(name)
      return next ? brokenSchema(one.schema, next.schema, name, 'taken') : [`${name} is gone`]
    }),
    ...[...present].flatMap(([name, { required }]) =>
      required && !known.get(name)?.required ? [`${name} is required now`] : [],
    ),
  ]
  const isBodyNew = now.requestBody?.required && !old.requestBody?.required
  return [
    ...ofParameters,
    ...(isBodyNew ? [`${at} requires a body now`] : []),
    ...brokenContent(old.requestBody?.content, now.requestBody?.content, `${at} body`, 'taken'),
    ...Object.entries<Json>(old.responses).flatMap(([status, answer]) => {
      // Clients must expect that a refusal goes; a success they wait for.
      if (Number(status) >= 400) return []
      const next = now.responses[status]
      if (!next) return [`${at} never answers ${status} any more`]
      return brokenContent(answer.content, next.content, `${at} ${status}`, 'given')
    }),
    ...(now.security?.length > 0 && old.security?.length === 0 ? [`${at} needs a token now`] : []),
  ]
}

function brokenContent(old: Json = {}, now: Json = {}, at: string, direction: Direction): string[] {
  return Object.entries<Json>(old).flatMap(([mediaType, { schema }]) => {
    if (!now[mediaType]) return [`${at}: ${mediaType} is gone`]
    const next = now[mediaType].schema
    return schema && next ? brokenSchema(schema, next, at, direction) : []
  })
}

function brokenSchema(old: Json, now: Json, at: string, direction: Direction): string[] {
  const alternatives = (schema: Json): Json[] | undefined => schema.anyOf ?? schema.oneOf
  if (alternatives(old) || alternatives(now)) {
    // Of the narrower side, each alternative must fit into one of the wider side.
    const [from, to] = [alternatives(old) ?? [old], alternatives(now) ?? [now]]
    const fits = (one: Json): boolean =>
      direction === 'taken'
        ? to.some((other) => brokenSchema(one, other, at, direction).length === 0)
        : from.some((other) => brokenSchema(other, one, at, direction).length === 0)
    const lost = (direction === 'taken' ? from : to).filter((one) => !fits(one))
    return lost.map(
      (one) => `${at}: an alternative is ${direction === 'taken' ? 'gone' : 'new'} (${kindOf(one)})`,
    )
  }
  return [
    ...brokenSet(old.type && [old.type].flat(), now.type && [now.type].flat(), `${at}: type`, direction),
    ...brokenSet(valuesOf(old), valuesOf(now), `${at}: value`, direction),
    ...brokenProperties(old, now, at, direction),
    ...(old.items && now.items ? brokenSchema(old.items, now.items, `${at}/items`, direction) : []),
    ...LIMITS.flatMap(([name, sign]) => brokenLimit(old[name], now[name], `${at}: ${name}`, sign)),
    ...(direction === 'taken' && now.pattern !== undefined && now.pattern !== old.pattern
      ? [`${at}: the pattern is another`]
      : []),
  ]

  function brokenLimit(
    was: number | undefined,
    is: number | undefined,
    where: string,
    sign: number,
  ): string[] {
    if (direction === 'given' || is === undefined) return []
    return was === undefined || sign * is > sign * was
      ? [`${where} is ${is}, and was ${was ?? 'not there'}`]
      : []
  }
}

/** Limits of what is taken, and whether more of it takes less. */
const LIMITS = [
  ['minimum', 1],
  ['maximum', -1],
  ['minLength', 1],
  ['maxLength', -1],
  ['minItems', 1],
  ['maxItems', -1],
] as const

const valuesOf = ({ const: one, enum: many }: Json): Json[] | undefined =>
  many ?? (one === undefined ? undefined : [one])

const kindOf = (schema: Json): string =>
  JSON.stringify(schema.type ?? valuesOf(schema) ?? Object.keys(schema)).slice(0, 60)

/** Undefined stands for everything. */
function brokenSet(
  old: Json[] | undefined,
  now: Json[] | undefined,
  at: string,
  direction: Direction,
): string[] {
  const [narrow, wide] = direction === 'taken' ? [old, now] : [now, old]
  if (!wide) return []
  const word = direction === 'taken' ? 'gone' : 'new'
  if (!narrow) return [`${at} is ${direction === 'taken' ? 'limited now' : 'no longer limited'}`]
  const isIn = (value: Json): boolean =>
    wide.includes(value) || (value === 'integer' && wide.includes('number'))
  return narrow.filter((value) => !isIn(value)).map((value) => `${at} ${JSON.stringify(value)} is ${word}`)
}

function brokenProperties(old: Json, now: Json, at: string, direction: Direction): string[] {
  const [ours, theirs] = [old.properties ?? {}, now.properties ?? {}]
  const required = (schema: Json): string[] => schema.required ?? []
  const missing = (from: string[], of: string[]): string[] => from.filter((name) => !of.includes(name))
  return [
    ...missing(Object.keys(ours), Object.keys(theirs)).map((name) => `${at}/${name} is gone`),
    ...(direction === 'taken'
      ? missing(required(now), required(old)).map((name) => `${at}/${name} is required now`)
      : missing(required(old), required(now))
          .filter((name) => name in theirs)
          .map((name) => `${at}/${name} may be left out now`)),
    ...Object.keys(ours).flatMap((name) =>
      theirs[name] ? brokenSchema(ours[name], theirs[name], `${at}/${name}`, direction) : [],
    ),
  ]
}

/** Returns a document with what its references name in their place. */
function inlined(document: Json): Json {
  const inline = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(inline)
    if (typeof value !== 'object' || value === null) return value
    if (typeof value.$ref === 'string')
      return inline(
        (value.$ref as string)
          .slice(2)
          .split('/')
          .reduce((part, name) => part[name], document),
      )
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, inline(part)]))
  }
  return inline(document)
}

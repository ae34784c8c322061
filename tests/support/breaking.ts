/** Compares two versions of the contract, and finds what breaks clients and consumers of the old one.
 * It looks at removed routes, parameters, answers, their headers and events, at what a request needs to be
 * let in, at problems that no route answers any more, and in schemas at types, formats, values, limits,
 * required and removed properties, alternatives and conditions. */

// The documents are JSON of any shape.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any

/** Who sends the values of a schema. What the bank takes may become looser, and what it gives stricter; the
 * other way round, others break. */
type Direction = 'taken' | 'given'

/** Returns a sentence for each change from `before` to `after` that breaks clients of an OpenAPI document. */
export function brokenRoutes(before: Json, after: Json): string[] {
  return [
    ...brokenSchemes(before.components?.securitySchemes, after.components?.securitySchemes),
    ...brokenProblems(before, after),
    ...brokenPaths(inlined(before), inlined(after)),
  ]
}

/** A refusal may go from a route. If no route has it any more, it may have another name now, which programs
 * don't know. */
function brokenProblems(before: Json, after: Json): string[] {
  const problemsIn = (document: Json): Set<string> =>
    new Set(JSON.stringify(document).match(/(?<="https:\/\/microbank\.dev\/problems\/)[\w-]+(?=")/g))
  const present = problemsIn(after)
  return [...problemsIn(before)]
    .filter((name) => !present.has(name))
    .map((name) => `no route answers ${name} any more`)
}

/** Compares the paths of two documents, without references. */
export function brokenPaths(old: Json, now: Json): string[] {
  return Object.entries<Json>(old).flatMap(([path, item]) =>
    Object.entries<Json>(item).flatMap(([method, operation]) => {
      const name = `${method.toUpperCase()} ${path}`
      const next = now[path]?.[method]
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
    if (version(message) !== version(next)) return []
    return [
      ...brokenSchema(message.headers, next.headers, `${type} attributes`, 'given'),
      ...brokenSchema(message.payload, next.payload, type, 'given'),
    ]
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
      return [
        ...Object.keys(answer.headers ?? {})
          .filter((name) => !next.headers?.[name])
          .map((name) => `${at} ${status}: the header ${name} is gone`),
        ...brokenContent(answer.content, next.content, `${at} ${status}`, 'given'),
      ]
    }),
    ...brokenSecurity(old.security, now.security, at),
  ]
}

/** A way to be let in: the roles that it takes, by the name of the scheme. */
type Way = Readonly<Record<string, readonly string[]>>

/** Each way that let a client in must still do so, without another scheme or role. */
function brokenSecurity(old: readonly Way[] = [], now: readonly Way[] = [], at: string): string[] {
  const open: Way = {}
  const ways = (all: readonly Way[]): readonly Way[] => (all.length > 0 ? all : [open])
  return ways(old).flatMap((was) => {
    const left = ways(now).filter((is) => Object.keys(is).every((scheme) => scheme in was))
    const newRoles = left.map((is) =>
      Object.entries(is).flatMap(([scheme, roles]) => roles.filter((role) => !was[scheme]!.includes(role))),
    )
    if (newRoles.some((roles) => roles.length === 0)) return []
    const schemes = Object.keys(was).join(' and ')
    if (newRoles.length > 0) return [`${at} with ${schemes} is only for the role ${newRoles[0]!.join()} now`]
    return [schemes ? `${at} no longer takes ${schemes}` : `${at} needs a token now`]
  })
}

/** A scheme must be sent as before. What it is for may be told in other words. */
function brokenSchemes(old: Json = {}, now: Json = {}): string[] {
  const sent = ({ description: _, ...scheme }: Json): string => JSON.stringify(Object.entries(scheme).sort())
  // One that is gone is missing at the routes that took it.
  return Object.keys(old)
    .filter((name) => now[name] && sent(old[name]) !== sent(now[name]))
    .map((name) => `the security scheme ${name} is another`)
}

function brokenContent(old: Json = {}, now: Json = {}, at: string, direction: Direction): string[] {
  return Object.entries<Json>(old).flatMap(([mediaType, { schema }]) => {
    if (!now[mediaType]) return [`${at}: ${mediaType} is gone`]
    return brokenSchema(schema ?? {}, now[mediaType].schema ?? {}, at, direction)
  })
}

function brokenSchema(old: Json, now: Json, at: string, direction: Direction): string[] {
  // Nothing fits `false`.
  if (old === false) return []
  if (now === false) return [`${at} is gone`]
  if (alternatives(old) || alternatives(now)) {
    // Of the narrower side, each alternative must fit into one of the wider side.
    const [from, to] = [alternatives(old) ?? [old], alternatives(now) ?? [now]]
    const [narrow, wide] = direction === 'taken' ? [from, to] : [to, from]
    return narrow.flatMap((one, i) => {
      // If several are as near, the one in the same place is meant.
      const others = [...wide.slice(i), ...wide.slice(0, i)]
      const broken = others.map((other) =>
        direction === 'taken'
          ? brokenSchema(one, other, at, direction)
          : brokenSchema(other, one, at, direction),
      )
      const nearest = broken.reduce((a, b) => (b.length < a.length ? b : a))
      if (nearest.length === 0) return []
      // Of an object, the one that differs least tells more.
      if (one.properties) return nearest
      return [`${at}: an alternative is ${direction === 'taken' ? 'gone' : 'new'} (${kindOf(one)})`]
    })
  }
  return [
    ...brokenSet(old.type && [old.type].flat(), now.type && [now.type].flat(), `${at}: type`, direction),
    ...brokenSet(old.format && [old.format], now.format && [now.format], `${at}: format`, direction),
    ...brokenSet(valuesOf(old), valuesOf(now), `${at}: value`, direction),
    ...brokenProperties(old, now, at, direction),
    ...['items', 'additionalProperties', 'propertyNames'].flatMap((name) =>
      brokenPart(old[name], now[name], `${at}/${name}`),
    ),
    ...LIMITS.flatMap(([name, sign]) => brokenLimit(old[name], now[name], `${at}: ${name}`, sign)),
    ...CONDITIONS.filter((name) => {
      if ((direction === 'taken' ? now : old)[name] === undefined) return false
      return JSON.stringify(old[name]) !== JSON.stringify(now[name])
    }).map((name) => `${at}: ${name} is another`),
    ...(direction === 'taken' && now.uniqueItems && !old.uniqueItems
      ? [`${at}: an item may come once only now`]
      : []),
  ]

  function brokenPart(was: Json, is: Json, where: string): string[] {
    if (isSchema(was) && isSchema(is)) return brokenSchema(was, is, where, direction)
    const [narrow, wide] = direction === 'taken' ? [is, was] : [was, is]
    if (!isSchema(narrow) || wide === false) return []
    return [`${where} is ${direction === 'taken' ? 'limited now' : 'no longer limited'}`]
  }

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

/** The alternatives of a schema, each with what is said of all of them. */
function alternatives({ anyOf, oneOf = anyOf, ...common }: Json): Json[] | undefined {
  return oneOf?.map((one: Json) => ({
    ...common,
    ...one,
    ...((common.properties || one.properties) && { properties: { ...common.properties, ...one.properties } }),
    required: [...(common.required ?? []), ...(one.required ?? [])],
  }))
}

const isSchema = (value: Json): boolean => typeof value === 'object' && value !== null

/** Nobody can say which of two of these takes more. */
const CONDITIONS = [
  ...['pattern', 'multipleOf', 'exclusiveMinimum', 'exclusiveMaximum', 'prefixItems', 'contains'],
  ...['allOf', 'not', 'if', 'then', 'else', 'dependentSchemas', 'dependentRequired', 'patternProperties'],
  ...['unevaluatedItems', 'unevaluatedProperties'],
]

/** Limits of what is taken, and whether more of it takes less. */
const LIMITS = [
  ['minimum', 1],
  ['maximum', -1],
  ['minLength', 1],
  ['maxLength', -1],
  ['minItems', 1],
  ['maxItems', -1],
  ['minProperties', 1],
  ['maxProperties', -1],
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
  const isClosed = ({ additionalProperties }: Json): boolean => additionalProperties === false
  return [
    ...(direction === 'taken' && isClosed(now) && !isClosed(old)
      ? [`${at} takes no other properties now`]
      : []),
    ...missing(Object.keys(ours), Object.keys(theirs)).map((name) => `${at}/${name} is gone`),
    ...(direction === 'taken'
      ? missing(required(now), required(old)).map((name) => `${at}/${name} is required now`)
      : missing(required(old), required(now))
          .filter((name) => name in theirs)
          .map((name) => `${at}/${name} may be left out now`)),
    ...Object.keys(ours).flatMap((name) =>
      name in theirs ? brokenSchema(ours[name], theirs[name], `${at}/${name}`, direction) : [],
    ),
  ]
}

/** Returns the paths of a document, with what their references name in their place. */
export function inlined(document: Json): Json {
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
  return inline(document.paths)
}

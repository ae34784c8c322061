import { Ajv, type Options } from 'ajv'
import standaloneCode from 'ajv/dist/standalone/index.js'
import type { AnyRoute, Operation } from '../operation.ts'
import { eventKey, routeKey, type Part, type Validators } from './validation.ts'
import { ANY_UUID } from '../values/uuid-text.ts'

/** Dates and moments by RFC 3339, with a day that its month has; no leap seconds, which neither Postgres nor
 * JavaScript keeps. A regular expression stands in the compiled validators themselves, so no bundle needs a
 * formats package. */
const [DATE, DATE_TIME] = (() => {
  const leapYear = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)'
  const day =
    '\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))'
  const time = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)'
  const date = `(?:${day}|${leapYear}-02-29)`
  return [new RegExp(`^${date}$`), new RegExp(`^${date}[T ]${time}$`, 'i')]
})()

const PARTS: readonly Part[] = ['body', 'query', 'params']

/** Creates the schema compiler for one part of a request. The body arrives typed, query and params as text
 * that must be converted, so they need different compilers. */
export function createAjv(part: Part, options: Options = {}): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    useDefaults: true,
    coerceTypes: part !== 'body',
    // The text 1e400 becomes Infinity. If this were true, Infinity would be no number to ajv, and its limits
    // would not be checked.
    strictNumbers: part === 'body',
    allowUnionTypes: true,
    strictRequired: false,
    ...options,
  })
  ajv.addFormat('date', DATE)
  ajv.addFormat('date-time', DATE_TIME)
  ajv.addFormat('uuid', ANY_UUID)
  // Marks fields to leave out of the idempotency hash and of the audit, and those of which the audit has only
  // the name. The third is for the contract.
  ajv.addVocabulary(['x-secret', 'x-personal', 'x-contract'])
  return ajv
}

// A part without a schema must be empty, so unknown query parameters are refused like unknown fields.
const NOTHING = { type: 'object', additionalProperties: false } as const

function schemaOf(route: AnyRoute, part: Part): unknown {
  const isTaken = part === 'query' || (part === 'body' && route.method !== 'GET')
  return route[part] ?? (isTaken ? NOTHING : undefined)
}

/** Lists every schema of an operation, with its key and part in the validators. */
function schemasOf(operation: Operation): { key: string; part: Part; schema: object }[] {
  const ofRoutes = (operation.routes ?? []).flatMap((route) =>
    PARTS.map((part) => ({ key: routeKey(route), part, schema: schemaOf(route, part) })),
  )
  const contracts = operation.consumes?.contracts ?? []
  const ofEvents = (contracts === 'any' ? [] : contracts).map((contract) => ({
    key: eventKey(contract.type),
    part: 'body' as const,
    schema: contract.schema,
  }))
  return [...ofRoutes, ...ofEvents].filter(
    (found): found is typeof found & { schema: object } => !!found.schema,
  )
}

// Ajv compiles the schema of schemas anew for each instance that checks, which takes longer than an
// operation's own schemas: so one instance checks all.
let checker: Ajv | undefined

/** Throws if a schema is not valid. */
function check(schema: object): void {
  checker ??= createAjv('body')
  void checker.validateSchema(schema, true)
}

const compilers: Partial<Record<Part, Ajv>> = {}

/** Compiles the schemas of an operation in this process, each once. Only the build checks that they are valid
 * schemas. */
export function compileValidators(operation: Operation): Validators {
  const validators: Record<string, Validators[string]> = {}
  for (const { key, part, schema } of schemasOf(operation)) {
    const ajv = (compilers[part] ??= createAjv(part, { validateSchema: false }))
    validators[key] = { ...validators[key], [part]: ajv.compile(schema) }
  }
  return validators
}

// Where in the schema a fault is. It goes into no answer, and is a sixth of the code.
const SCHEMA_PATH = /\bschemaPath:"(?:[^"\\]|\\.)*",/g
// It repeats the pattern, of which messageOf() makes it again.
const PATTERN_MESSAGE = /,message:"must match pattern \\""\+"(?:[^"\\]|\\.)*"\+"\\""/g

/** Returns the source of a CommonJS module whose `validators` is what compileValidators() returns, except
 * that errors lack `schemaPath`, and those of patterns their message. A schema that several routes share is
 * compiled once. Throws if a schema is not valid. */
export function validatorsSource(operation: Operation): string {
  const schemas = schemasOf(operation).map((found) => ({ ...found, text: JSON.stringify(found.schema) }))
  const modules = PARTS.map((part) => {
    const texts = distinct(schemas, part)
    if (texts.length === 0) return ''
    const ajv = createAjv(part, { code: { source: true }, validateSchema: false })
    texts.forEach((text, index) => {
      const schema = JSON.parse(text) as object
      check(schema)
      ajv.addSchema(schema, nameOf(index))
    })
    const names = Object.fromEntries(texts.map((_, index) => [nameOf(index), nameOf(index)]))
    const code = standaloneCode(ajv, names).replace(SCHEMA_PATH, '').replace(PATTERN_MESSAGE, '')
    return `const ${part} = (() => { const exports = {}; ${code}; return exports })()`
  })
  const keys = [...new Set(schemas.map(({ key }) => key))].map((key) => {
    const parts = schemas
      .filter((found) => found.key === key)
      .map(({ part, text }) => `${part}: ${part}.${nameOf(distinct(schemas, part).indexOf(text))}`)
    return `${JSON.stringify(key)}: { ${parts.join(', ')} }`
  })
  return `${modules.join('\n')}\nexports.validators = {\n${keys.join(',\n')}\n}\n`
}

const nameOf = (index: number): string => `schema${index}`

/** The texts of the schemas of one part, each once. */
const distinct = (schemas: readonly { part: Part; text: string }[], part: Part): string[] => [
  ...new Set(schemas.filter((found) => found.part === part).map(({ text }) => text)),
]

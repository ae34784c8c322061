// Writes what the client knows of the API (functions/web/client/api.ts) from openapi.json. openapi-typescript
// would want TypeScript 5 and write ten times as much, without the names of problems.

/**
 * @typedef {{ [name: string]: any }} Json
 */

const HEAD = `// Written by \`npm run openapi\` from openapi.json. Don't change it by hand.

/** Answers of these calls are no JSON; read them with raw(). */
export type NotJson = { readonly notJson: never }
`

/**
 * Returns the source of api.ts: an interface for each named schema, the calls with what they take and give,
 * the names of all problems, and which calls take an Idempotency-Key or need no token.
 * @param {Json} openapi a document of OpenAPI 3.1
 * @returns {string}
 */
export function clientApi(openapi) {
  const calls = Object.entries(/** @type {Json} */ (openapi.paths)).flatMap(([path, item]) =>
    Object.entries(/** @type {Json} */ (item))
      .filter(([method]) => ['get', 'post', 'put', 'patch', 'delete'].includes(method))
      .map(([method, call]) => ({ name: `${method.toUpperCase()} ${path}`, call })),
  )
  const names = (/** @type {(call: Json) => boolean} */ has) =>
    calls.filter(({ call }) => has(call)).map(({ name }) => name)
  return [
    HEAD,
    ...Object.entries(/** @type {Json} */ (openapi.components?.schemas ?? {})).map(
      ([name, schema]) => `${comment(schema.description, '')}export type ${name} = ${typeOf(schema, '')}\n`,
    ),
    `/** Each call: what it takes, and what it answers by status. */\nexport interface Api {`,
    ...calls.map(({ name, call }) => callType(name, call)),
    '}\n',
    `/** The last part of a problem's \`type\`. */\nexport type ProblemName =\n${problemNames(openapi)}\n`,
    set('Calls that take an Idempotency-Key.', 'keyed', names(takesKey)),
    set(
      'Calls that need no access token.',
      'open',
      names(({ security = [] }) => !security.some((/** @type {Json} */ way) => 'bearer' in way)),
    ),
  ].join('\n')
}

const takesKey = (/** @type {Json} */ { parameters = [] }) =>
  parameters.some((/** @type {Json} */ { name }) => name === 'Idempotency-Key')

/**
 * @param {string} name
 * @param {Json} call
 */
function callType(name, call) {
  const takes = [
    ...parametersOf(call, 'path', 'params'),
    ...parametersOf(call, 'query', 'query'),
    ...bodyOf(call.requestBody),
  ]
  const answers = Object.entries(/** @type {Json} */ (call.responses))
    .filter(([status]) => /^2/.test(status))
    .map(([status, { content }]) => `      ${status}: ${answerType(content)}`)
  return [
    `${comment(call.summary, '  ')}  '${name}': {`,
    takes.length > 0 ? `    takes: {\n${takes.join('\n')}\n    }` : '    takes: Record<never, never>',
    `    answers: {\n${answers.join('\n')}\n    }`,
    '  }',
  ].join('\n')
}

/**
 * @param {Json} call
 * @param {string} place
 * @param {string} option
 */
function parametersOf({ parameters = [] }, place, option) {
  const here = parameters.filter((/** @type {Json} */ one) => one.in === place)
  if (here.length === 0) return []
  const fields = here.map(
    (/** @type {Json} */ { name, required, schema }) =>
      `${property(name)}${required ? '' : '?'}: ${typeOf(schema, '      ')}`,
  )
  const isNeeded = here.some((/** @type {Json} */ { required }) => required)
  return [`      ${option}${isNeeded ? '' : '?'}: { ${fields.join('; ')} }`]
}

/**
 * @param {Json | undefined} requestBody
 */
function bodyOf(requestBody) {
  if (!requestBody) return []
  const json = requestBody.content['application/json']
  return [
    `      body${requestBody.required ? '' : '?'}: ${json ? typeOf(json.schema, '      ') : 'FormData'}`,
  ]
}

/**
 * @param {Json | undefined} content
 */
function answerType(content) {
  if (!content) return 'undefined'
  const json = content['application/json']
  return json ? typeOf(json.schema, '      ') : 'NotJson'
}

/**
 * Returns the TypeScript type of the values that a schema accepts.
 * @param {Json} schema
 * @param {string} indent of the line that it stands on
 * @returns {string}
 */
function typeOf(schema, indent) {
  const all = [
    ...ownType(schema, indent),
    ...(schema.allOf ?? []).filter(saysType).map((/** @type {Json} */ part) => typeOf(part, indent)),
    ...[schema.anyOf, schema.oneOf].flatMap((choices) =>
      choices?.some(saysType) ? [union(choices.map((/** @type {Json} */ one) => typeOf(one, indent)))] : [],
    ),
  ]
  if (all.length === 0) return 'unknown'
  return all.length === 1 ? all[0] : all.map(grouped).join(' & ')
}

/** Whether a schema says more than a condition on what another says. */
const saysType = (/** @type {Json} */ schema) =>
  ['$ref', 'type', 'const', 'enum', 'properties', 'allOf', 'anyOf', 'oneOf'].some((name) => name in schema)

/**
 * @param {Json} schema
 * @param {string} indent
 * @returns {string[]}
 */
function ownType(schema, indent) {
  if (schema.$ref) return [schema.$ref.split('/').at(-1)]
  if ('const' in schema) return [literal(schema.const)]
  if (schema.enum) return [union(schema.enum.map(literal))]
  const types = [schema.type ?? (schema.properties ? 'object' : [])].flat()
  return types.length === 0 ? [] : [union(types.map((type) => typeNamed(type, schema, indent)))]
}

/**
 * @param {string} type
 * @param {Json} schema
 * @param {string} indent
 */
function typeNamed(type, schema, indent) {
  if (type === 'object') return objectType(schema, indent)
  if (type === 'array') return `${grouped(typeOf(schema.items ?? {}, indent))}[]`
  return type === 'integer' ? 'number' : type
}

/**
 * @param {Json} schema
 * @param {string} indent
 */
function objectType({ properties, required = [], additionalProperties }, indent) {
  if (!properties) {
    const values = typeof additionalProperties === 'object' ? typeOf(additionalProperties, indent) : 'unknown'
    return `Record<string, ${values}>`
  }
  const inner = `${indent}  `
  const fields = Object.entries(/** @type {Json} */ (properties)).map(
    ([name, schema]) =>
      `${comment(schema.description, inner)}${inner}${property(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema, inner)}`,
  )
  return fields.length === 0 ? 'Record<string, never>' : `{\n${fields.join('\n')}\n${indent}}`
}

/**
 * @param {Json} openapi
 */
function problemNames(openapi) {
  const names = new Set(
    [...JSON.stringify(openapi).matchAll(/"[a-z]+:\/\/[^"]+\/problems\/([a-z-]+)"/g)].map(([, name]) => name),
  )
  return [...names]
    .sort()
    .map((name) => `  | '${name}'`)
    .join('\n')
}

/**
 * @param {string} text
 * @param {string} name
 * @param {string[]} values
 */
const set = (text, name, values) =>
  `/** ${text} */\nexport const ${name}: ReadonlySet<string> = new Set([\n${values.map((value) => `  '${value}',\n`).join('')}])\n`

const comment = (/** @type {string | undefined} */ text, /** @type {string} */ indent) =>
  text ? `${indent}/** ${text.replaceAll('*/', '* /')} */\n` : ''

const literal = (/** @type {unknown} */ value) =>
  typeof value === 'string' ? `'${value.replace(/['\\]/g, '\\$&')}'` : JSON.stringify(value)

const property = (/** @type {string} */ name) => (/^\w+$/.test(name) ? name : `'${name}'`)

const union = (/** @type {string[]} */ types) => [...new Set(types)].join(' | ')

const grouped = (/** @type {string} */ type) =>
  /^[^{]* [|&] |^\{[^]*\} [|&] /.test(type) ? `(${type})` : type

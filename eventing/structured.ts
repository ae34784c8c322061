import { InvalidEventError, type EventMessage } from './message.ts'

/** Returns the event in a body of the JSON event format.
 * @throws InvalidEventError */
export function parseStructured(body: Buffer): EventMessage {
  let text: string
  let members: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    members = JSON.parse(text)
  } catch {
    throw new InvalidEventError('the body is not JSON in UTF-8')
  }
  if (typeof members !== 'object' || members === null || Array.isArray(members))
    throw new InvalidEventError('the body must be one JSON object')
  const { data, data_base64: base64, ...rest } = members as Record<string, unknown>
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(rest))
    if (value !== null) attributes[name] = attributeText(name, value)
  return { attributes, data: structuredData(text, data, base64, attributes) }
}

/** Returns the event in the JSON event format. parseStructured() makes the same event of it, byte for byte.
 * JSON data is included as it is; other data, and JSON with spaces around it, as base64. */
export function formatStructured({ attributes, data }: EventMessage): string {
  const envelope = JSON.stringify(attributes)
  if (data.length === 0) return envelope
  const type = attributes.datacontenttype ?? 'application/json'
  const text = data.toString()
  const isExact =
    JSON_TYPE.test(type) && text === text.trim() && isJson(text) && data.equals(Buffer.from(text))
  const member = isExact ? `"data":${text}` : `"data_base64":"${data.toString('base64')}"`
  return `${envelope.slice(0, -1)},${member}}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const JSON_TYPE = /[/+]json\s*(;|$)/i

/** Returns the canonical string of an attribute (CloudEvents 1.0, type system). */
function attributeText(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value)
  throw new InvalidEventError(
    `the attribute "${name.slice(0, 60)}" must be a string, a boolean or an integer`,
  )
}

function structuredData(
  text: string,
  data: unknown,
  base64: unknown,
  attributes: Record<string, string>,
): Buffer {
  if (data !== undefined && base64 !== undefined)
    throw new InvalidEventError('an event has data or data_base64, not both')
  if (base64 !== undefined) {
    if (typeof base64 !== 'string' || base64.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
      throw new InvalidEventError('data_base64 is not base64')
    return Buffer.from(base64, 'base64')
  }
  if (data === undefined) return Buffer.alloc(0)
  attributes.datacontenttype ??= 'application/json'
  const isText = !JSON_TYPE.test(attributes.datacontenttype)
  return Buffer.from(isText && typeof data === 'string' ? data : memberText(text, 'data'))
}

/**
 * Returns the text of a member of a valid JSON object as it is written; a parsed and printed number may have
 * lost digits. If several members have the name, the last counts, as in JSON.parse.
 */
export function memberText(json: string, name: string): string {
  const tokens = /"(?:[^"\\]+|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g
  let depth = 0
  let key = ''
  let start = 0
  let found = ''
  for (let match = tokens.exec(json); match; match = tokens.exec(json)) {
    const token = match[0]
    if (depth === 1 && start === 0 && token[0] === '"') key = JSON.parse(token) as string
    if (depth === 1 && start === 0 && token === ':') start = tokens.lastIndex
    else if (depth === 1 && (token === ',' || token === '}')) {
      if (key === name) found = json.slice(start, match.index).trim()
      start = 0
    }
    if (token === '{' || token === '[') depth++
    if (token === '}' || token === ']') depth--
  }
  return found
}

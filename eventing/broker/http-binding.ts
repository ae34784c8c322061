import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { InvalidEventError, checkSize, headerValue, validate } from './event.ts'
import type { BrokerEvent } from './event.ts'

/** CloudEvents over HTTP (binding 1.0.2), both content modes, with the data's bytes left as they are. */

const STRUCTURED = 'application/cloudevents+json'
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** Whether a message says of itself that it is a CloudEvent. */
export function claimsToBeEvent(headers: IncomingHttpHeaders): boolean {
  return 'ce-specversion' in headers || mediaType(headers) === STRUCTURED
}

/**
 * The event of a request or response. Its trace context goes along as the extension `traceparent`, where
 * the event doesn't carry one already (the extension is the origin's, the header only the last hop's).
 * @throws InvalidEventError
 */
export function eventFromHttp(headers: IncomingHttpHeaders, body: Buffer): BrokerEvent {
  const event = mediaType(headers) === STRUCTURED ? parseStructured(body) : parseBinary(headers, body)
  const { traceparent, tracestate } = headers
  if (typeof traceparent === 'string' && TRACEPARENT.test(traceparent) && !event.attributes.traceparent) {
    event.attributes.traceparent = traceparent
    if (typeof tracestate === 'string' && tracestate) event.attributes.tracestate = tracestate
  }
  validate(event.attributes)
  checkSize(event.attributes)
  return event
}

/** Headers of a delivery in binary mode. */
export function binaryHeaders({ attributes, data }: BrokerEvent): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'content-length': data.length }
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'datacontenttype') headers['content-type'] = value
    else headers[`ce-${name}`] = headerValue(value)
  }
  if (attributes.traceparent) headers.traceparent = attributes.traceparent
  if (attributes.tracestate) headers.tracestate = headerValue(attributes.tracestate)
  return headers
}

const mediaType = (headers: IncomingHttpHeaders): string =>
  (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()

function parseBinary(headers: IncomingHttpHeaders, body: Buffer): BrokerEvent {
  if (!('ce-specversion' in headers))
    throw new InvalidEventError(`expected a CloudEvent: ce- headers, or a body of type ${STRUCTURED}`)
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith('ce-')) attributes[name.slice(3)] = decodeHeader(String(value))
  // In binary mode Content-Type is the attribute; a ce-datacontenttype beside it would contradict it.
  delete attributes.datacontenttype
  if (headers['content-type']) attributes.datacontenttype = headers['content-type']
  return { attributes, data: body }
}

/** Undoes percent-encoding. Raw UTF-8, which some senders put into headers, reaches us read as Latin-1. */
function decodeHeader(value: string): string {
  try {
    const text = /[\x80-\xff]/.test(value) ? utf8(Buffer.from(value, 'latin1')) : value
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch {
    return value // Not encoded by the rules: then it means what it says, as with the original.
  }
}

const utf8 = (bytes: Buffer): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes)

function parseStructured(body: Buffer): BrokerEvent {
  let text: string
  let members: unknown
  try {
    text = utf8(body)
    members = JSON.parse(text)
  } catch (error) {
    throw new InvalidEventError(`the body is not JSON: ${(error as Error).message}`)
  }
  if (typeof members !== 'object' || members === null || Array.isArray(members))
    throw new InvalidEventError('the body must be one JSON object')
  const { data, data_base64: base64, ...rest } = members as Record<string, unknown>
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(rest))
    if (value !== null) attributes[name] = attributeText(name, value)
  return { attributes, data: structuredData(text, data, base64, attributes) }
}

/** Canonical string of an attribute (CloudEvents 1.0, type system). */
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
  const isJson = /[/+]json\s*(;|$)/i.test(attributes.datacontenttype)
  return Buffer.from(!isJson && typeof data === 'string' ? data : memberText(text, 'data'))
}

/**
 * The text of a member of a JSON object (which must be valid) as it stands: a parsed and printed number may
 * have lost digits. Of members with the same name the last counts, as for JSON.parse.
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

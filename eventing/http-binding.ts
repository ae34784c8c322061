import type { IncomingHttpHeaders } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import { InvalidEventError, type EventMessage } from './message.ts'
import { isMediaType } from './media-type.ts'
import { formatStructured, parseStructured } from './structured.ts'

/** CloudEvents over HTTP (binding 1.0.2), with the data's bytes left as they are. Loads nothing, for every
 * function publishes or receives events; what it lets through is checked by attributes.ts. */

const STRUCTURED = 'application/cloudevents+json'
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** Whether a message says of itself that it is a CloudEvent. */
export function claimsToBeEvent(headers: IncomingHttpHeaders): boolean {
  return 'ce-specversion' in headers || mediaType(headers) === STRUCTURED
}

/**
 * The event of a request or response, in binary or structured mode; its attributes are still to be checked.
 * Its trace context goes along as the extension `traceparent`, where the event doesn't carry one already (the
 * extension is the origin's, the header only the last hop's).
 * @throws InvalidEventError
 */
export function eventFromHttp(headers: IncomingHttpHeaders, body: Buffer): EventMessage {
  const event = mediaType(headers) === STRUCTURED ? parseStructured(body) : parseBinary(headers, body)
  const { traceparent, tracestate } = headers
  if (typeof traceparent === 'string' && TRACEPARENT.test(traceparent) && !event.attributes.traceparent) {
    event.attributes.traceparent = traceparent
    if (typeof tracestate === 'string' && tracestate) event.attributes.tracestate = tracestate
  }
  return event
}

/** Headers of an event in binary mode (section 3.1). Trace context stands there as a header too, for whatever
 * carries traces over HTTP. */
export function binaryHeaders(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name in attributes) {
    const value = attributes[name]!
    if (name === 'datacontenttype') headers['content-type'] = value
    else headers[`ce-${name}`] = headerValue(value)
  }
  // Extensions may hold any text; as headers of their own only what trace context is made of.
  const { traceparent, tracestate } = attributes
  if (traceparent && TRACEPARENT.test(traceparent)) headers.traceparent = traceparent
  if (tracestate && /^[\x20-\x7e]+$/.test(tracestate)) headers.tracestate = tracestate
  return headers
}

/** Node, and most servers, take up to 16 KiB of headers; some are not the event's. */
const HEADERS_BYTES_MAX = 14 * 1024

/** An event as a request: in binary mode, or in structured mode where a header can't carry one of its
 * attributes, or they are too long for headers. Its data arrives byte for byte either way. */
export function eventRequest({ attributes, data }: EventMessage): {
  headers: Record<string, string>
  body: Buffer
} {
  const { datacontenttype } = attributes
  if (datacontenttype === undefined || isMediaType(datacontenttype)) {
    const headers = binaryHeaders(attributes)
    let bytes = 0
    for (const name in headers) bytes += name.length + headers[name]!.length + 4
    if (bytes <= HEADERS_BYTES_MAX) return { headers, body: data }
  }
  return {
    headers: { 'content-type': `${STRUCTURED}; charset=UTF-8` },
    body: Buffer.from(formatStructured({ attributes, data })),
  }
}

const MUST_BE_ENCODED = /[^\x21-\x7e]|["%]/

/** An attribute as HTTP header value, percent-encoded (section 3.1.3.2). */
export function headerValue(text: string): string {
  if (!MUST_BE_ENCODED.test(text)) return text
  return text.replace(/[^\x21-\x7e]|["%]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )
}

/** The event as handlers get it. Data that is not JSON, or is said to be and isn't, comes as
 * `data_base64`. */
export function toCloudEvent({ attributes, data }: EventMessage): CloudEventV1<unknown> {
  const event = { datacontenttype: 'application/json', ...attributes } as unknown as CloudEventV1<unknown>
  return data.length === 0 ? event : { ...event, ...contentOf(data, event.datacontenttype!) }
}

function contentOf(data: Buffer, type: string): { data: unknown } | { data_base64: string } {
  try {
    if (/[/+]json\b/i.test(type)) return { data: JSON.parse(data.toString()) as unknown }
  } catch {
    // Kept as the bytes that came.
  }
  return { data_base64: data.toString('base64') }
}

function mediaType(headers: IncomingHttpHeaders): string {
  const type = headers['content-type'] ?? ''
  return type === 'application/json' ? type : type.split(';', 1)[0]!.trim().toLowerCase()
}

function parseBinary(headers: IncomingHttpHeaders, body: Buffer): EventMessage {
  if (!('ce-specversion' in headers))
    throw new InvalidEventError(`expected a CloudEvent: ce- headers, or a body of type ${STRUCTURED}`)
  const attributes: Record<string, string> = {}
  for (const name in headers)
    if (name.startsWith('ce-')) attributes[name.slice(3)] = decodeHeader(String(headers[name]))
  // In binary mode Content-Type is the attribute; a ce-datacontenttype beside it would contradict it.
  delete attributes.datacontenttype
  if (headers['content-type']) attributes.datacontenttype = headers['content-type']
  return { attributes, data: body }
}

const MAY_BE_ENCODED = /[%\x80-\xff]/

/** Undoes percent-encoding. Raw UTF-8, which some senders put into headers, reaches us read as Latin-1. */
function decodeHeader(value: string): string {
  if (!MAY_BE_ENCODED.test(value)) return value
  try {
    const bytes = Buffer.from(value, 'latin1')
    const text = /[\x80-\xff]/.test(value) ? new TextDecoder('utf-8', { fatal: true }).decode(bytes) : value
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch {
    return value // Not encoded by the rules: then it means what it says, as with the original.
  }
}

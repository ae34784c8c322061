import type { IncomingHttpHeaders } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import { InvalidEventError, type EventMessage } from './message.ts'
import { isMediaType } from './media-type.ts'
import { formatStructured, parseStructured } from './structured.ts'

/** CloudEvents over HTTP (HTTP protocol binding 1.0.2). The bytes of the data are never changed. This file
 * loads no package, because every function that publishes or receives events pays for it at its start.
 * attributes.ts checks the attributes. */

const STRUCTURED = 'application/cloudevents+json'
/** Content types that say of a message that an event, or many, are its body (HTTP binding, section 3). */
const ENVELOPE = /^application\/cloudevents/i
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** Returns whether the headers say that the message is a CloudEvent. */
export function claimsToBeEvent(headers: IncomingHttpHeaders): boolean {
  return 'ce-specversion' in headers || mediaType(headers) === STRUCTURED
}

/**
 * Returns the event of a request or response, in binary or structured mode. Its attributes are not checked
 * yet. The header `traceparent` becomes the extension `traceparent`, unless the event has that extension
 * already: the extension is the trace of the origin, the header only that of the last hop.
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

/** Returns the headers of an event in binary mode (section 3.1). Trace context is also a header of its own,
 * for tools that carry traces over HTTP. */
export function binaryHeaders(attributes: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name in attributes) {
    const value = attributes[name]!
    if (name === 'datacontenttype') headers['content-type'] = value
    else headers[`ce-${name}`] = headerValue(value)
  }
  // An extension may hold any text. As headers of their own, only valid characters of trace context are sent.
  const { traceparent, tracestate } = attributes
  if (traceparent && TRACEPARENT.test(traceparent)) headers.traceparent = traceparent
  if (tracestate && /^[\x20-\x7e]+$/.test(tracestate)) headers.tracestate = tracestate
  return headers
}

/** Limit for the event's headers, in bytes. Node and most servers take up to 16 KiB, and some headers are not
 * the event's. */
const HEADERS_BYTES_MAX = 14 * 1024

/** Returns whether data of this type must not be sent in binary mode: the receiver would take the data for
 * the event. */
export const isEnvelope = (datacontenttype: string | undefined): boolean =>
  datacontenttype !== undefined && ENVELOPE.test(datacontenttype)

/** Returns an event as a request: in binary mode, or in structured mode if headers can't carry an attribute,
 * would say something else, or would be too long. The data arrives byte for byte either way. */
export function eventRequest({ attributes, data }: EventMessage): {
  headers: Record<string, string>
  body: Buffer
} {
  const { datacontenttype } = attributes
  if (datacontenttype === undefined || (isMediaType(datacontenttype) && !isEnvelope(datacontenttype))) {
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

/** Returns an attribute as the value of an HTTP header, percent-encoded (section 3.1.3.2). */
export function headerValue(text: string): string {
  if (!MUST_BE_ENCODED.test(text)) return text
  return text.replace(/[^\x21-\x7e]|["%]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )
}

/** Returns the event as handlers get it. Data comes as `data_base64` if its type is not JSON, or if it is not
 * valid JSON. */
export function toCloudEvent({ attributes, data }: EventMessage): CloudEventV1<unknown> {
  const event = { datacontenttype: 'application/json', ...attributes } as unknown as CloudEventV1<unknown>
  return data.length === 0 ? event : { ...event, ...contentOf(data, event.datacontenttype!) }
}

function contentOf(data: Buffer, type: string): { data: unknown } | { data_base64: string } {
  try {
    if (/[/+]json\b/i.test(type)) return { data: JSON.parse(data.toString()) as unknown }
  } catch {
    // Not JSON: the bytes are kept.
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
  // In binary mode the header Content-Type is this attribute. A header ce-datacontenttype could contradict
  // it.
  delete attributes.datacontenttype
  if (headers['content-type']) attributes.datacontenttype = headers['content-type']
  return { attributes, data: body }
}

const MAY_BE_ENCODED = /[%\x80-\xff]/

/** Decodes percent-encoding. Some senders put raw UTF-8 into headers; Node hands it over as Latin-1. */
function decodeHeader(value: string): string {
  if (!MAY_BE_ENCODED.test(value)) return value
  try {
    const bytes = Buffer.from(value, 'latin1')
    const text = /[\x80-\xff]/.test(value) ? new TextDecoder('utf-8', { fatal: true }).decode(bytes) : value
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch {
    return value // Not percent-encoded: the value is taken as it is, as eventing-rabbitmq does.
  }
}

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { CloudEventV1 } from 'cloudevents'
import { dataschemaOf } from '../../eventing/contracts/contract.ts'
import { answer } from './answer.ts'
import { readBytes } from './body.ts'
import type { Exchange } from './exchange.ts'
import type { Consumer } from './operation.ts'
import { ProblemError, problems } from './problems.ts'
import type { Services } from './services.ts'
import { eventKey, type Validators } from './validation.ts'

const EVENT_BYTES_MAX = 2 * 1024 * 1024

/** Only the platform may deliver events. Its requests name the Service's cluster-local host, which the outer
 * gateway routes for nobody; everybody else finds nothing here. */
function checkSender({ headers }: IncomingMessage): void {
  const host = (headers.host ?? '').replace(/:\d+$/, '')
  if (/\.svc(\.cluster\.local)?$/.test(host)) return
  throw new ProblemError(problems.notFound, 'There is nothing at this address.')
}

/** One delivery of the Broker: 204 with an empty body once its effect is committed (a body could be taken for
 * a reply event). Everything else throws and becomes 5xx, which the Broker tries again and at last keeps as a
 * dead letter; a 4xx it would count as delivered and forget. */
export async function receiveEvent(
  { request, response, traceparent }: Exchange,
  consumer: Consumer,
  { services, validators }: { services: Services; validators: Validators },
): Promise<void> {
  checkSender(request)
  try {
    const bytes = await readBytes(request, EVENT_BYTES_MAX)
    const event = await parseEvent(request.headers, bytes)
    if (consumer.contracts !== 'any') checkContract(event, consumer.contracts, validators)
    await consumer.receive(event, services, traceparent)
  } catch (error) {
    if (error instanceof ProblemError && error.reply.status < 500) {
      throw new Error(`event refused: ${error.message}`, { cause: error })
    }
    throw error
  }
  answer(response, { status: 204 })
}

/** The event of a request in binary or structured mode. Data that is not JSON, or is said to be and isn't,
 * comes as `data_base64`. */
async function parseEvent(sent: IncomingHttpHeaders, bytes: Buffer): Promise<CloudEventV1<unknown>> {
  const { HTTP, CloudEvent } = await import('cloudevents')
  const headers = decodeAttributes(sent)
  const type = headers['content-type'] ?? ''
  requireAttributes(sent, type, bytes)
  if (STRUCTURED.test(type)) return HTTP.toEvent({ headers, body: bytes.toString() }) as CloudEventV1<unknown>
  // The library reads the attributes; the data it would decode, encode again or refuse by its type.
  const { data: _, ...attributes } = HTTP.toEvent({
    headers: { ...headers, 'content-type': 'text/plain' },
    body: '-',
  }) as CloudEventV1<unknown>
  const envelope = { ...attributes, datacontenttype: type || 'application/json' }
  return new CloudEvent(
    bytes.length === 0 ? envelope : { ...envelope, ...dataOf(bytes, envelope.datacontenttype) },
  )
}

/** Attributes travel percent-encoded in headers (CloudEvents HTTP binding 1.0.2, section 3.1.3.2). */
function decodeAttributes(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const decoded = { ...headers }
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('ce-') && typeof value === 'string' && value.includes('%')) {
      decoded[name] = percentDecoded(value)
    }
  }
  return decoded
}

function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    // A bare % of a sender that does not encode.
    return value
  }
}

const STRUCTURED = /^application\/cloudevents\+json/i

function dataOf(bytes: Buffer, type: string): { data: unknown } | { data_base64: string } {
  try {
    if (/[/+]json\b/i.test(type)) return { data: JSON.parse(bytes.toString()) as unknown }
  } catch {
    // Kept as the bytes that came.
  }
  return { data_base64: bytes.toString('base64') }
}

/** The library fills in what is missing; an event with an invented id would have its effect at each delivery. */
function requireAttributes(headers: IncomingHttpHeaders, type: string, bytes: Buffer): void {
  const attributes = STRUCTURED.test(type)
    ? (JSON.parse(bytes.toString()) as Record<string, unknown>)
    : undefined
  for (const name of ['specversion', 'id', 'source', 'type']) {
    if (!(attributes ? attributes[name] : headers[`ce-${name}`]))
      throw new Error(`an event without ${name} came`)
  }
}

function checkContract(
  event: CloudEventV1<unknown>,
  contracts: Exclude<Consumer['contracts'], 'any'>,
  validators: Validators,
): void {
  const contract = contracts.find((candidate) => candidate.type === event.type)
  if (!contract) throw new Error(`no contract here for events of type ${event.type}`)
  if (event.dataschema !== undefined && event.dataschema !== dataschemaOf(contract)) {
    throw new Error(`expected ${dataschemaOf(contract)}, not ${event.dataschema}`)
  }
  const validator = validators[eventKey(contract.type)]?.body
  if (!validator || validator(event.data)) return
  const [fault] = validator.errors ?? []
  throw new Error(
    `data of ${event.type} ${event.id} breaks its contract: ${fault?.instancePath} ${fault?.message}`,
  )
}

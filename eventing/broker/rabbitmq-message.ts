import { randomUUID } from 'node:crypto'
import type { ConsumeMessage, Options } from 'amqplib'
import { readEvent, validate } from './event.ts'
import { isEnvelope } from '../http-binding.ts'
import type { EventMessage } from '../message.ts'

/** An event as an AMQP message. */
export interface EventOnQueue {
  content: Buffer
  options: Options.Publish & { headers: Record<string, string> }
}

/**
 * Returns an event as an AMQP message, in the layout of eventing-rabbitmq 1.22 (pkg/rabbit/message.go): the
 * data is the body, and attributes are headers without a prefix, so that bindings can match them.
 */
export function toMessage({ attributes, data }: EventMessage): EventOnQueue {
  const { datacontenttype, ...headers } = attributes
  if (datacontenttype) headers['content-type'] = datacontenttype
  // eventing-rabbitmq's dispatcher continues a trace only if both headers are there.
  if (headers.traceparent) headers.tracestate ??= ''
  return {
    content: data,
    options: {
      headers,
      persistent: true,
      ...(fitsProperty(attributes.id) && { messageId: attributes.id }),
      // That of an event within the event would say that the message is that event.
      ...(fitsProperty(datacontenttype) && !isEnvelope(datacontenttype) && { contentType: datacontenttype }),
    },
  }
}

/** AMQP properties are short strings. Longer text is only in the headers. */
const fitsProperty = (text: string | undefined): text is string =>
  text !== undefined && Buffer.byteLength(text) <= 255

/** Returns the event in a message.
 * @throws InvalidEventError if the message holds none */
export function fromMessage({ properties, content }: ConsumeMessage): EventMessage {
  const contentType: unknown = properties.contentType
  if (typeof contentType === 'string' && contentType.startsWith('application/cloudevents+json'))
    return readEvent({ 'content-type': contentType }, content)
  const attributes: Record<string, string> = {}
  for (const [header, value] of Object.entries(properties.headers ?? {})) {
    const name = header.toLowerCase().replace(/^ce-/, '')
    if (name === 'content-type') attributes.datacontenttype = String(value)
    else if (!name.startsWith('x-')) attributes[name] = String(value)
  }
  if (typeof contentType === 'string' && contentType) attributes.datacontenttype ??= contentType
  for (const name of ['datacontenttype', 'tracestate']) if (!attributes[name]) delete attributes[name]
  validate(attributes)
  return { attributes, data: content }
}

/**
 * Returns an event that wraps a message which is none: somebody published it past the ingress.
 * eventing-rabbitmq acknowledges such a message and loses it; wrapped it can be kept as a dead letter.
 */
export function wrapMessage(
  { content, properties }: ConsumeMessage,
  queue: string,
  reason: string,
): EventMessage {
  const knativeerrordata = Buffer.from(reason).toString('base64').slice(0, 1024)
  const attributes: Record<string, string> = {
    specversion: '1.0',
    id: randomUUID(),
    source: `/rabbitmq/queues/${encodeURIComponent(queue)}`,
    type: 'dev.knative.rabbitmq.event',
    knativeerrordata,
  }
  if (properties.contentType) attributes.datacontenttype = String(properties.contentType).slice(0, 255)
  return { attributes, data: content }
}

import { randomUUID } from 'node:crypto'
import type { ConsumeMessage, Options } from 'amqplib'
import { readEvent, validate } from './event.ts'
import type { EventMessage } from '../message.ts'

/**
 * The layout of an event as an AMQP message, as eventing-rabbitmq 1.22 has it (pkg/rabbit/message.go):
 * data as the body, attributes as headers without a prefix, so that bindings can match them.
 */
export function toMessage({ attributes, data }: EventMessage): { content: Buffer; options: Options.Publish } {
  const { datacontenttype, ...headers } = attributes
  if (datacontenttype) headers['content-type'] = datacontenttype
  // The original's dispatcher takes up a trace only where both headers are there.
  if (headers.traceparent) headers.tracestate ??= ''
  return {
    content: data,
    options: {
      headers,
      persistent: true,
      ...(fitsProperty(attributes.id) && { messageId: attributes.id }),
      ...(fitsProperty(datacontenttype) && { contentType: datacontenttype }),
    },
  }
}

/** AMQP properties are short strings; what is longer stands in the headers only. */
const fitsProperty = (text: string | undefined): text is string =>
  text !== undefined && Buffer.byteLength(text) <= 255

/** The event in a message. @throws InvalidEventError where it holds none */
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
 * An event that wraps a message which isn't one (somebody published past the ingress). The original
 * acknowledges such a message and loses it; wrapped it can be kept as a dead letter.
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

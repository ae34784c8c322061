import type { IncomingHttpHeaders } from 'node:http'
import { CloudEvent } from 'cloudevents'
import { checkAttributes, checkSize, hasPlainFormats } from '../attributes.ts'
import { eventFromHttp } from '../http-binding.ts'
import { InvalidEventError, type EventMessage } from '../message.ts'

/** The event of a request or response, checked. @throws InvalidEventError */
export function readEvent(headers: IncomingHttpHeaders, body: Buffer): EventMessage {
  const event = eventFromHttp(headers, body)
  validate(event.attributes)
  checkSize(event.attributes)
  return event
}

/** Checks the attributes of an event. @throws InvalidEventError */
export function validate(attributes: Record<string, string>): void {
  checkAttributes(attributes)
  if (!hasPlainFormats(attributes)) checkFormats(attributes)
}

/** URIs, times and the like by the specification's own schema, which the `cloudevents` package brings. */
function checkFormats(attributes: Record<string, string>): void {
  try {
    new CloudEvent(attributes as unknown as ConstructorParameters<typeof CloudEvent>[0])
  } catch (error) {
    const reasons = (error as { errors?: { instancePath?: string; message?: string }[] }).errors
    const first = reasons?.[0]
    throw new InvalidEventError(
      first?.message
        ? `${first.instancePath?.slice(1) || 'the event'} ${first.message}`
        : (error as Error).message,
    )
  }
}

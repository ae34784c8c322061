import type { IncomingHttpHeaders } from 'node:http'
import { CloudEvent } from 'cloudevents'
import { checkAttributes, checkCarriage, hasPlainFormats } from '../attributes.ts'
import { eventFromHttp } from '../http-binding.ts'
import { InvalidEventError, type EventMessage } from '../message.ts'

/** Returns the event of a request or response, after checking it.
 * @throws InvalidEventError */
export function readEvent(headers: IncomingHttpHeaders, body: Buffer): EventMessage {
  const event = eventFromHttp(headers, body)
  validate(event.attributes)
  checkCarriage(event.attributes)
  return event
}

/** Checks the attributes of an event.
 * @throws InvalidEventError */
export function validate(attributes: Record<string, string>): void {
  checkAttributes(attributes)
  if (!hasPlainFormats(attributes)) checkFormats(attributes)
}

const EXPECTED: Readonly<Record<string, string>> = {
  source: 'a URI reference, such as /shop/orders',
  time: 'an RFC 3339 timestamp, such as 2026-01-05T09:30:00Z',
  dataschema: 'an absolute URI',
  subject: 'text that is not empty, or be left out',
  datacontenttype: 'a media type, or be left out',
}

/** Checks URIs, times and other formats with the schema of the CloudEvents specification, which the
 * `cloudevents` package contains. */
function checkFormats(attributes: Record<string, string>): void {
  try {
    new CloudEvent(attributes as unknown as ConstructorParameters<typeof CloudEvent>[0])
  } catch (error) {
    const [first] = (error as { errors?: { instancePath?: string }[] }).errors ?? []
    const name = first?.instancePath?.slice(1) ?? ''
    throw new InvalidEventError(
      name in EXPECTED
        ? `the attribute "${name}" must be ${EXPECTED[name]}`
        : 'the attributes are not those of a CloudEvent 1.0',
    )
  }
}

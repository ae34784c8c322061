import { CloudEvent } from 'cloudevents'

/** A CloudEvent on its way: all attributes and extensions as strings, and the data's bytes, never changed. */
export interface BrokerEvent {
  attributes: Record<string, string>
  data: Buffer
}

/** Thrown where something is not a CloudEvent 1.0; the message says what is wrong with it. */
export class InvalidEventError extends Error {}

/**
 * What all attributes together may take as HTTP headers, in bytes. Node's HTTP parser refuses more than
 * 16 KiB of headers, and the dead letter attributes have to fit in as well.
 */
export const ATTRIBUTES_BYTES_MAX = 8 * 1024

/** Checks the attributes of an event. @throws InvalidEventError */
export function validate(attributes: Record<string, string>): void {
  for (const name of ['specversion', 'id', 'source', 'type'])
    if (!attributes[name]) throw new InvalidEventError(`the attribute "${name}" is missing`)
  if (attributes.specversion !== '1.0')
    throw new InvalidEventError(`specversion must be "1.0", it is "${attributes.specversion}"`)
  for (const [name, value] of Object.entries(attributes)) {
    // "data" names the payload; beyond 255 bytes a name doesn't fit into an AMQP header.
    if (!/^[a-z0-9]{1,255}$/.test(name) || name === 'data')
      throw new InvalidEventError(`"${name.slice(0, 60)}" is no name for an attribute`)
    if (/[\p{Cc}\p{Cs}]/u.test(value))
      throw new InvalidEventError(
        `the attribute "${name}" holds a control character or half a surrogate pair`,
      )
  }
  checkFormats(attributes)
}

/** Checks what only an event that comes in has to keep; dead letters are larger. @throws InvalidEventError */
export function checkSize(attributes: Record<string, string>): void {
  let bytes = 0
  for (const [name, value] of Object.entries(attributes))
    bytes += 'ce-: \r\n'.length + name.length + headerValue(value).length
  if (bytes > ATTRIBUTES_BYTES_MAX)
    throw new InvalidEventError(`the attributes take ${bytes} bytes, ${ATTRIBUTES_BYTES_MAX} are allowed`)
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

/** An attribute as HTTP header value: percent-encoded as the CloudEvents HTTP binding asks (3.1.3.2). */
export function headerValue(text: string): string {
  return text.replace(/[^\x21-\x7e]|["%]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )
}

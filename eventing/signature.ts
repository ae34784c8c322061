import { createHmac, timingSafeEqual } from 'node:crypto'
import { GROUP_ATTRIBUTES } from './groups.ts'
import type { EventMessage } from './message.ts'

/** Signatures of events. A context signs the attributes that it states and the bytes of the data
 * (HMAC-SHA-256, base64url) in the extension `signature`. Anyone who can reach the Broker can publish
 * events, but only the functions of a context have its key.
 *
 * Attributes that are added on the way are not signed: trace context, and the knativeerror* attributes of a
 * dead letter. The time is signed as a moment, because Knative's own Broker rewrites it without trailing
 * zeros. */

type Attributes = Readonly<Record<string, string>>

/** Returns the value of the extension `signature`. `key` is the key of the context that states the event.
 * `data` is as it is sent; text stands for its UTF-8 bytes. */
export const signEvent = (attributes: Attributes, data: string | Buffer, key: string): string =>
  mac(attributes, data, key).toString('base64url')

/** Returns whether the event has the signature that signEvent() makes with this key. It takes the same time
 * whatever the signature is. */
export function isSigned({ attributes, data }: EventMessage, key: string): boolean {
  const expected = mac(attributes, data, key)
  const given = Buffer.from(attributes.signature ?? '', 'base64url')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Returns what is signed of an event besides its data. */
export const statedBy = (attributes: Attributes): unknown[] => {
  const { source, id, type, subject, time, partitionkey, dataschema } = attributes
  const groups = GROUP_ATTRIBUTES.map((name) => attributes[name])
  return ['v1', source, id, type, subject, time && Date.parse(time), partitionkey, dataschema, ...groups]
}

function mac(attributes: Attributes, data: string | Buffer, key: string): Buffer {
  // The signed text is one line of JSON and then the data. No two events have the same text.
  return createHmac('sha256', key)
    .update(`${JSON.stringify(statedBy(attributes))}\n`)
    .update(data)
    .digest()
}

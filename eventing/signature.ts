import { createHmac, timingSafeEqual } from 'node:crypto'
import type { EventMessage } from './message.ts'

/** Who stated an event: its context signs what it says and the bytes of its data (HMAC-SHA-256, base64url) in
 * the extension `signature`. Whoever can reach the Broker can publish events; only a context's functions have
 * its key.
 *
 * Not signed is what is added on the way: trace context, and the knativeerror* attributes of a dead letter.
 * The time is signed as a moment, because Knative's own Broker writes it anew (without trailing zeros). */

type Attributes = Readonly<Record<string, string>>

/** The extension's value for an event of a context, whose key this is. `data` as it is sent: text stands for
 * UTF-8. */
export const signEvent = (attributes: Attributes, data: string | Buffer, key: string): string =>
  mac(attributes, data, key).toString('base64url')

/** Whether the event carries the signature that signEvent() makes with this key. Takes as long whatever it
 * carries. */
export function isSigned({ attributes, data }: EventMessage, key: string): boolean {
  const expected = mac(attributes, data, key)
  const given = Buffer.from(attributes.signature ?? '', 'base64url')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function mac(attributes: Attributes, data: string | Buffer, key: string): Buffer {
  const { source, id, type, subject, time, partitionkey, dataschema } = attributes
  // One line of JSON, and the data after it: two events can't have the same text.
  const stated = ['v1', source, id, type, subject, time && Date.parse(time), partitionkey, dataschema]
  return createHmac('sha256', key)
    .update(`${JSON.stringify(stated)}\n`)
    .update(data)
    .digest()
}

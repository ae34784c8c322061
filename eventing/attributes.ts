import { headerValue } from './http-binding.ts'
import { isMediaType } from './media-type.ts'
import { InvalidEventError } from './message.ts'

/** The rules for attributes of CloudEvents 1.0, and what is beyond them ours: no control characters, a limit
 * in bytes. */

/**
 * What all attributes together may take as HTTP headers, in bytes. Node's HTTP parser refuses more than
 * 16 KiB of headers, and the dead letter attributes have to fit in as well.
 */
export const ATTRIBUTES_BYTES_MAX = 8 * 1024

/** Checks names, and values as far as any text may stand in them; see hasPlainFormats() for the rest.
 * @throws InvalidEventError */
export function checkAttributes(attributes: Readonly<Record<string, string>>): void {
  for (const name of ['specversion', 'id', 'source', 'type'])
    if (!attributes[name]) throw new InvalidEventError(`the attribute "${name}" is missing`)
  if (attributes.specversion !== '1.0')
    throw new InvalidEventError(`specversion must be "1.0", it is "${attributes.specversion}"`)
  for (const name in attributes) {
    // "data" names the payload; beyond 255 bytes a name doesn't fit into an AMQP header.
    if (!/^[a-z0-9]{1,255}$/.test(name) || name === 'data')
      throw new InvalidEventError(`"${name.slice(0, 60)}" is no name for an attribute`)
    if (/[\p{Cc}\p{Cs}]/u.test(attributes[name]!))
      throw new InvalidEventError(
        `the attribute "${name}" holds a control character or half a surrogate pair`,
      )
  }
}

/** Checks what only an event that comes in has to keep; dead letters are larger, and what is in a queue may
 * have come from elsewhere. @throws InvalidEventError */
export function checkCarriage(attributes: Readonly<Record<string, string>>): void {
  const { datacontenttype } = attributes
  if (datacontenttype !== undefined && !isMediaType(datacontenttype))
    throw new InvalidEventError('the attribute "datacontenttype" must be a media type, such as text/plain')
  checkSize(attributes)
}

function checkSize(attributes: Readonly<Record<string, string>>): void {
  let bytes = 0
  for (const name in attributes)
    bytes += 'ce-: \r\n'.length + name.length + headerValue(attributes[name]!).length
  if (bytes > ATTRIBUTES_BYTES_MAX)
    throw new InvalidEventError(`the attributes take ${bytes} bytes, ${ATTRIBUTES_BYTES_MAX} are allowed`)
}

const PLAIN_PATH = /^\/[\w./~-]*$/
const PLAIN_URL = /^https?:\/\/[a-z][\w.-]*(\/[\w./~-]*)?$/
const PLAIN_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z$/

/** True where source, time and dataschema are written as almost everybody writes them, and so surely as the
 * specification asks. Where it is false they may still be, which the `cloudevents` package knows: its schema
 * takes longer than all the rest of a request. */
export function hasPlainFormats({
  source = '',
  time,
  dataschema,
  subject,
  datacontenttype,
}: Readonly<Record<string, string>>): boolean {
  if (!PLAIN_PATH.test(source) || subject === '' || datacontenttype === '') return false
  if (dataschema !== undefined && !PLAIN_URL.test(dataschema)) return false
  if (time === undefined) return true
  const day = Number(PLAIN_TIME.exec(time)?.[1])
  // Not every month has more.
  return day <= 28 || new Date(time).getUTCDate() === day
}

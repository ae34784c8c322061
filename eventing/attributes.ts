import { headerValue } from './http-binding.ts'
import { isMediaType } from './media-type.ts'
import { InvalidEventError } from './message.ts'

/** Checks the attributes of an event against CloudEvents 1.0 and two rules of our own: no control characters,
 * and a limit in bytes. */

/**
 * Limit for all attributes together, written as HTTP headers, in bytes. Node's HTTP parser refuses more than
 * 16 KiB of headers, and the attributes of a dead letter must fit in as well.
 */
export const ATTRIBUTES_BYTES_MAX = 8 * 1024

/** Checks all names, and the values of attributes that may hold any text; hasPlainFormats() is about the
 * other values.
 * @throws InvalidEventError */
export function checkAttributes(attributes: Readonly<Record<string, string>>): void {
  for (const name of ['specversion', 'id', 'source', 'type'])
    if (!attributes[name]) throw new InvalidEventError(`the attribute "${name}" is missing`)
  if (attributes.specversion !== '1.0')
    throw new InvalidEventError(`specversion must be "1.0", but it is "${attributes.specversion}"`)
  for (const name in attributes) {
    // "data" names the payload. A name of more than 255 bytes doesn't fit into an AMQP header.
    if (!/^[a-z0-9]{1,255}$/.test(name) || name === 'data')
      throw new InvalidEventError(`"${name.slice(0, 60)}" is not a valid attribute name`)
    if (/[\p{Cc}\p{Cs}]/u.test(attributes[name]!))
      throw new InvalidEventError(
        `the attribute "${name}" holds a control character or half a surrogate pair`,
      )
  }
}

/** Checks the rules that only an incoming event must keep. Dead letters are larger, and a message in a queue
 * may have come from elsewhere.
 * @throws InvalidEventError */
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
    throw new InvalidEventError(`the attributes take ${bytes} bytes; ${ATTRIBUTES_BYTES_MAX} are allowed`)
}

const PLAIN_PATH = /^\/[\w./~-]*$/
const PLAIN_URL = /^https?:\/\/[a-z][\w.-]*(\/[\w./~-]*)?$/
const PLAIN_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z$/

/** Returns true if source, time, dataschema, subject and datacontenttype have the usual form, which is surely
 * valid. If false, they may still be valid: only the schema of the `cloudevents` package can tell, and that
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
  // Only some months have more than 28 days.
  return day <= 28 || new Date(time).getUTCDate() === day
}

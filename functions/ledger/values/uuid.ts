import { randomHex } from '../../../monitoring/random.ts'

let lastMs = 0
let counter = 0
/** The digits that ids of one millisecond have in common. */
let prefix = ''

/** A UUIDv7 (RFC 9562, section 5.7) that is greater than every one this process made before: 48 bits of
 * milliseconds, 12 of a counter (its method 1), 62 of randomness. Made here and not by Postgres where an id
 * has to be known before the database is asked. */
export function uuidv7(): string {
  const now = Date.now()
  if (now > lastMs) begin(now)
  // 4096 ids within a millisecond, or a clock that was set back: time goes on from the last id.
  else if (++counter > 0xfff) begin(lastMs + 1)
  const random = randomHex(16)
  const variant = '89ab'[Number.parseInt(random[0]!, 16) & 3]!
  return `${prefix}${counter.toString(16).padStart(3, '0')}-${variant}${random.slice(1, 4)}-${random.slice(4)}`
}

function begin(milliseconds: number): void {
  lastMs = milliseconds
  counter = 0
  const digits = milliseconds.toString(16).padStart(12, '0')
  prefix = `${digits.slice(0, 8)}-${digits.slice(8)}-7`
}

import { randomHex } from '../../../monitoring/random.ts'

let lastMs = 0
let counter = 0
/** The digits that all ids of one millisecond share. */
let prefix = ''

/** Makes a UUIDv7 (RFC 9562, section 5.7) that is greater than all that this process made before: 48 bits of
 * milliseconds, a 12-bit counter (method 1), 62 random bits. Postgres makes ids too; this one is for ids that
 * must be known before the database is asked. */
export function uuidv7(): string {
  const now = Date.now()
  if (now > lastMs) begin(now)
  // After 4096 ids in one millisecond, or if the clock was set back, time continues from the last id.
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

import { randomBytes } from 'node:crypto'

let lastMs = 0
let counter = 0

/** A UUIDv7 (RFC 9562, section 5.7) that is greater than every one this process made before: 48 bits of
 * milliseconds, 12 of a counter (its method 1), 62 of randomness. Made here and not by Postgres where an id has
 * to be known before the database is asked. */
export function uuidv7(): string {
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    counter = 0
  } else if (++counter > 0xfff) {
    // 4096 ids within a millisecond, or a clock that was set back: time goes on from the last id.
    lastMs++
    counter = 0
  }
  const bytes = randomBytes(16)
  bytes.writeUIntBE(lastMs, 0, 6)
  bytes.writeUInt16BE(0x7000 | counter, 6)
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

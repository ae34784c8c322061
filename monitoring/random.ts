import { randomBytes } from 'node:crypto'

const POOL_BYTES = 4096
let pool = ''
let taken = 0

/** Returns random hexadecimal digits, at most 8192. They are drawn many at a time: one by one they took 5 %
 * of the processor time of a transfer's function. */
export function randomHex(digits: number): string {
  if (taken + digits > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex')
    taken = 0
  }
  return pool.slice(taken, (taken += digits))
}

import { randomBytes } from 'node:crypto'

const POOL_BYTES = 4096
let pool = ''
let taken = 0

/** Random hexadecimal digits, 8192 at the most. They are drawn many at a time: one by one they were 5 % of
 * what a transfer costs its function. */
export function randomHex(digits: number): string {
  if (taken + digits > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex')
    taken = 0
  }
  return pool.slice(taken, (taken += digits))
}

import { readMoment } from '../moment.ts'

export const FIRST_ID = '00000000-0000-0000-0000-000000000000'
export const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

const MS_MAX = 2 ** 48 - 1

/** Returns the lowest UUIDv7 of a moment (RFC 9562, section 5.7). Throws a ProblemError (400) that points at
 * `path` for a moment that doesn't exist. */
export function firstIdAt(moment: string, path: string): string {
  const milliseconds = readMoment(moment, path).getTime()
  const digits = Math.min(Math.max(milliseconds, 0), MS_MAX).toString(16).padStart(12, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8)}-7000-8000-000000000000`
}

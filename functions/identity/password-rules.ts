import { NO_CONTROLS } from '../host/schema.ts'
import { knownPasswords } from './known-passwords.ts'
import { normalise } from './password.ts'

const LENGTH_MIN = 12
const LENGTH_MAX = 128

/** Schema of a new password; passwordFault() checks what a schema can't. `x-secret` keeps the password out of
 * the hash that an Idempotency-Key is bound to. */
export const newPasswordSchema = {
  type: 'string',
  minLength: LENGTH_MIN,
  maxLength: LENGTH_MAX,
  pattern: NO_CONTROLS,
  'x-secret': true,
} as const

const ROWS = ['abcdefghijklmnopqrstuvwxyz', '0123456789'.repeat(13), 'qwertyuiopasdfghjklzxcvbnm']
const ROWS_BOTH_WAYS = [...ROWS, ...ROWS.map((row) => [...row].reverse().join(''))]

/** Returns what is wrong with a new password, as a sentence without its subject; undefined if nothing is.
 * `email` is the address of the user who chooses it.
 *
 * Length is what counts; no mixture of kinds of characters is required. Passwords that guessing starts with
 * are refused (NIST SP 800-63B, section 5.1.1.2): known passwords, patterns, and the user's own address. */
export function passwordFault(password: string, email: string): string | undefined {
  const folded = normalise(password).toLowerCase()
  if ([...folded].length < LENGTH_MIN) return `must have at least ${LENGTH_MIN} characters`
  if (knownPasswords.has(folded)) return 'is known from leaks of passwords'
  if (/^(.{1,6}?)\1+$/su.test(folded)) return 'must not repeat the same few characters'
  if (ROWS_BOTH_WAYS.some((row) => row.includes(folded)))
    return 'must not be a row of the alphabet or keyboard'
  const [localPart = ''] = email.toLowerCase().split('@')
  // A shorter one is in many passwords by chance.
  if (localPart.length >= 4 && folded.includes(localPart)) return 'must not contain the email address'
  return undefined
}

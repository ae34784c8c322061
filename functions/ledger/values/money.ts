import { ProblemError, problems, type FieldError } from '../../host/problems.ts'
import { currencies, exponentOf } from './currencies.ts'

/** What one amount may be at the most, in minor units: ten trillion dollars. */
export const AMOUNT_MAX = 10n ** 15n

export type ParsedAmount = { minorUnits: bigint } | { invalid: string }

// No sign, no blank, no thousands separator, no exponent, no digit but ASCII ones, no zero in front.
const DECIMAL = /^(0|[1-9][0-9]{0,15})(?:\.([0-9]{1,4}))?$/

/** Reads an amount as it came in JSON: `parseAmount('12.50', 'USD')` is `{ minorUnits: 1250n }`.
 *
 * A number is read by its shortest decimal text, so 200.5 is what it looks like; one that JSON can't carry
 * exactly is refused. What is not an amount from one minor unit to AMOUNT_MAX comes back as `invalid`, a
 * sentence without its subject. Zero is let in where `zero` says so. */
export function parseAmount(amount: string | number, currency: string, { zero = false } = {}): ParsedAmount {
  const exponent = exponentOf(currency)
  const [, whole, decimals = ''] = DECIMAL.exec(String(amount)) ?? []
  if (whole === undefined) return { invalid: 'must be a decimal number without sign, like "200.00"' }
  if (decimals.length > exponent) {
    return { invalid: `must have no more than ${exponent} decimals, which is what ${currency} has` }
  }
  const minorUnits = BigInt(whole + decimals.padEnd(exponent, '0'))
  if (minorUnits === 0n && !zero) return { invalid: 'must be more than zero' }
  if (minorUnits > AMOUNT_MAX) return { invalid: `must be at most ${formatAmount(AMOUNT_MAX, currency)}` }
  return { minorUnits }
}

/** Minor units as a decimal string with all of the currency's decimals: `formatAmount(1250n, 'USD')` is
 * '12.50'. */
export function formatAmount(minorUnits: bigint, currency: string): string {
  const exponent = exponentOf(currency)
  const sign = minorUnits < 0n ? '-' : ''
  const digits = String(minorUnits < 0n ? -minorUnits : minorUnits).padStart(exponent + 1, '0')
  if (exponent === 0) return sign + digits
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`
}

/** An amount of a request's body in minor units, or what is wrong with it or with its currency. `at` is the
 * JSON pointer to what holds both: the body itself, or one of many in it. */
export function checkAmount(
  amount: string | number,
  currency: string,
  path: string,
  { at = '', ...options }: { at?: string; zero?: boolean } = {},
): { minorUnits: bigint } | FieldError {
  if (!currencies.has(currency))
    return { path: `${at}/currency`, message: 'must be a currency of ISO 4217, like "USD"' }
  const parsed = parseAmount(amount, currency, options)
  return 'invalid' in parsed ? { path: at + path, message: parsed.invalid } : parsed
}

/** An amount of a request's body in minor units.
 * Throws a ProblemError (400) that points at `/currency` or at `path`. */
export function readAmount(
  amount: string | number,
  currency: string,
  path: string,
  options?: { zero?: boolean },
): bigint {
  const checked = checkAmount(amount, currency, path, options)
  if ('minorUnits' in checked) return checked.minorUnits
  throw new ProblemError(problems.invalidInput, 'The body is not what this operation takes.', {
    errors: [checked],
  })
}

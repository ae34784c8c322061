import { ProblemError, problems, type FieldError } from '../problems.ts'
import { currencies, exponentOf } from './currencies.ts'

/** The largest single amount, in minor units: ten trillion dollars. */
export const AMOUNT_MAX = 10n ** 15n

const WHOLE = '[1-9][0-9]{0,14}|1000000000000000'
const DECIMALS = '(\\.[0-9]{1,4})?'
const DECIMALS_OVER_ZERO = '[1-9][0-9]{0,3}|0[1-9][0-9]{0,2}|00[1-9][0-9]?|000[1-9]'

/** What the contract says of amounts holds in any currency. parseAmount() refuses all that it refuses, and
 * tells people better why. */
const amountOf = (pattern: string, minimum: number) =>
  ({
    anyOf: [
      { type: 'string', maxLength: 40, 'x-contract': { pattern } },
      { type: 'number', 'x-contract': { minimum, maximum: Number(AMOUNT_MAX) } },
    ],
  }) as const

/** Schema of an amount in a request's body. readAmount() checks the rest. */
export const amountSchema = amountOf(`^((${WHOLE})${DECIMALS}|0\\.(${DECIMALS_OVER_ZERO}))$`, 0.0001)

/** The same where zero is allowed. */
export const amountOrZeroSchema = amountOf(`^(0|${WHOLE})${DECIMALS}$`, 0)

export const currencySchema = { type: 'string', pattern: '^[A-Z]{3}$', default: 'USD' } as const

export type ParsedAmount = { minorUnits: bigint } | { invalid: string }

// No sign, blank, thousands separator or exponent; only ASCII digits, and no leading zero.
const DECIMAL = /^(0|[1-9][0-9]{0,15})(?:\.([0-9]+))?$/

/** Parses an amount as it came in JSON: `parseAmount('12.50', 'USD')` returns `{ minorUnits: 1250n }`.
 *
 * A number is read by its shortest decimal text, so 200.5 means what it looks like. A number that JSON can't
 * carry exactly is refused. For anything but an amount from one minor unit to AMOUNT_MAX, it returns
 * `invalid`: a sentence without its subject. `zero` allows zero. Throws if the currency is unknown. */
export function parseAmount(amount: string | number, currency: string, { zero = false } = {}): ParsedAmount {
  const exponent = exponentOf(currency)
  // JavaScript writes a smaller number with an exponent, like 1e-7.
  const isTiny = typeof amount === 'number' && amount > 0 && amount < 1e-6
  const [, whole, decimals = ''] = DECIMAL.exec(isTiny ? '0.0000001' : String(amount)) ?? []
  if (whole === undefined) return { invalid: 'must be a decimal number without a sign, like "200.00"' }
  if (decimals.length > exponent) {
    return { invalid: `must have at most ${exponent} decimals, as ${currency} has` }
  }
  const minorUnits = BigInt(whole + decimals.padEnd(exponent, '0'))
  if (minorUnits === 0n && !zero) return { invalid: 'must be more than zero' }
  if (minorUnits > AMOUNT_MAX) return { invalid: `must be at most ${formatAmount(AMOUNT_MAX, currency)}` }
  return { minorUnits }
}

/** Formats minor units as a decimal string with all of the currency's decimals: `formatAmount(1250n, 'USD')`
 * returns '12.50'. Throws if the currency is unknown. */
export function formatAmount(minorUnits: bigint, currency: string): string {
  const exponent = exponentOf(currency)
  const sign = minorUnits < 0n ? '-' : ''
  const digits = String(minorUnits < 0n ? -minorUnits : minorUnits).padStart(exponent + 1, '0')
  if (exponent === 0) return sign + digits
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`
}

/** Checks an amount of a request's body. Returns it in minor units, or returns what is wrong with it or with
 * its currency. `at` is the JSON pointer to the object that holds both: the body, or one item in it. */
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

/** Reads an amount of a request's body, and returns it in minor units. Throws a ProblemError (400) that
 * points at `/currency` or at `path`. */
export function readAmount(
  amount: string | number,
  currency: string,
  path: string,
  options?: { zero?: boolean },
): bigint {
  const checked = checkAmount(amount, currency, path, options)
  if ('minorUnits' in checked) return checked.minorUnits
  throw new ProblemError(problems.invalidInput, 'The body does not match what this operation accepts.', {
    errors: [checked],
  })
}

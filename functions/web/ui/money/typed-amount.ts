import { exponentOf } from '../../../host/values/currencies.ts'
import { toDecimal } from './money.ts'

/** Why a text is no amount. */
export type AmountFault = 'missing' | 'no-number' | 'too-many-decimals' | 'zero' | 'too-much'

export type TypedAmount = { amount: string } | { fault: AmountFault }

/** As the bank has it: ten trillion dollars, in minor units. */
const AMOUNT_MAX = 10n ** 15n

// Spaces and apostrophes only ever group.
const GROUPING = /[\s\u00a0\u202f'’]/g

/** Reads what a person typed or pasted into an amount field: `1,234.50` and `1.234,50` are both 1234.50.
 *
 * If only one kind of separator is there, it separates decimals, unless it is the one that groups thousands
 * in `locale` and stands where it would. So '1,234' is a thousand and more in English, and in German 1.234 to
 * three decimals, which is an error for a currency with two. Nothing is ever rounded.
 * @param currency code or symbol of it may stand around the figure
 * @param takesZero whether zero is an amount too, as it is for a limit
 * @returns a decimal string with all decimals, or what is wrong */
export function readTypedAmount(
  text: string,
  currency: string,
  locale: string,
  { takesZero = false } = {},
): TypedAmount {
  const bare = withoutUnit(text.trim(), currency, locale).replaceAll(GROUPING, '')
  if (bare === '') return { fault: 'missing' }
  const [whole, decimals] = split(bare, locale) ?? []
  if (whole === undefined || decimals === undefined || whole + decimals === '') return { fault: 'no-number' }
  const exponent = exponentOf(currency)
  if (decimals.length > exponent) return { fault: 'too-many-decimals' }
  const minorUnits = BigInt(whole + decimals.padEnd(exponent, '0'))
  if (minorUnits === 0n && !takesZero) return { fault: 'zero' }
  if (minorUnits > AMOUNT_MAX) return { fault: 'too-much' }
  return { amount: toDecimal(minorUnits, currency) }
}

/** Returns the digits before and after the decimal separator; undefined if it is no number. */
function split(bare: string, locale: string): [whole: string, decimals: string] | undefined {
  if (!/^\d*(?:[.,]\d*)*$/.test(bare)) return undefined
  const last = Math.max(bare.lastIndexOf('.'), bare.lastIndexOf(','))
  if (last === -1) return [bare, '']
  const separator = bare[last]!
  const [before, after] = [bare.slice(0, last), bare.slice(last + 1)]
  const other = separator === '.' ? ',' : '.'
  if (before.includes(other))
    return isGrouped(before, other) ? [before.replaceAll(other, ''), after] : undefined
  if (separator === groupOf(locale) && isGrouped(bare, separator)) return [bare.replaceAll(separator, ''), '']
  if (!before.includes(separator)) return [before, after]
  // Twice the same separator can only group.
  return isGrouped(bare, separator) ? [bare.replaceAll(separator, ''), ''] : undefined
}

const isGrouped = (text: string, separator: string): boolean =>
  (separator === '.' ? /^[1-9]\d{0,2}(?:\.\d{3})+$/ : /^[1-9]\d{0,2}(?:,\d{3})+$/).test(text)

const groupOf = (locale: string): string | undefined =>
  new Intl.NumberFormat(locale).formatToParts(1_234_567).find(({ type }) => type === 'group')?.value

/** Takes the currency's code or symbol off one end. Another currency stays, and is no number. */
function withoutUnit(text: string, currency: string, locale: string): string {
  for (const currencyDisplay of ['code', 'symbol', 'narrowSymbol'] as const) {
    const unit = new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay })
      .formatToParts(1)
      .find(({ type }) => type === 'currency')?.value
    if (!unit) continue
    if (text.startsWith(unit)) return text.slice(unit.length)
    if (text.endsWith(unit)) return text.slice(0, -unit.length)
  }
  return text
}

import { currencies, exponentOf } from '../../../host/values/currencies.ts'

/** Amounts as the API has them: decimal strings with all decimals of their currency, '-12.50'. They never
 * become a Number. */

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/
const MINUS = '\u2212'

/** Parses a decimal string into minor units: `toMinorUnits('-12.50', 'USD')` returns -1250n. Throws for
 * anything else, and for more decimals than the currency has. */
export function toMinorUnits(amount: string, currency: string): bigint {
  const exponent = exponentOf(currency)
  const [, sign, whole, decimals = ''] = DECIMAL.exec(amount) ?? []
  if (whole === undefined || decimals.length > exponent)
    throw new Error(`expected an amount in ${currency}, got '${amount}'`)
  const minorUnits = BigInt(whole + decimals.padEnd(exponent, '0'))
  return sign === '-' ? -minorUnits : minorUnits
}

/** Returns minor units as a decimal string with all of the currency's decimals: '-12.50' for -1250n. */
export function toDecimal(minorUnits: bigint, currency: string): string {
  const exponent = exponentOf(currency)
  const sign = minorUnits < 0n ? '-' : ''
  const digits = String(minorUnits < 0n ? -minorUnits : minorUnits).padStart(exponent + 1, '0')
  if (exponent === 0) return sign + digits
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`
}

/** Whether the bank has accounts in a currency. */
export const isCurrency = (code: string): boolean => currencies.has(code)

/** Adds amounts of one currency. Returns a decimal string; '0.00' if there are none. */
export const sumOf = (amounts: readonly string[], currency: string): string =>
  toDecimal(
    amounts.reduce((sum, amount) => sum + toMinorUnits(amount, currency), 0n),
    currency,
  )

export interface MoneyFormat {
  /** BCP 47: 'en', 'de'. */
  locale: string
  /** Shows + before what is more than zero. */
  signed?: boolean
  /** 'symbol' for headlines; 'code' wherever currencies mix, behind the figure; 'none' in columns. */
  unit?: 'symbol' | 'code' | 'none'
}

/** Formats a decimal string for people: '-1234.5', 'USD' is '−$1,234.50' in English. Negative amounts have
 * U+2212, which is as wide as a figure. */
export function formatMoney(
  amount: string,
  currency: string,
  { locale, signed = false, unit = 'symbol' }: MoneyFormat,
): string {
  // Written anew, so that what is no amount is a defect here and not 'NaN' on the page.
  const decimal = toDecimal(toMinorUnits(amount, currency), currency) as `${number}`
  const figure = formatterOf(currency, locale, signed, unit === 'symbol')
    .formatToParts(decimal)
    .map(({ type, value }) => (type === 'minusSign' ? MINUS : value))
    .join('')
  return unit === 'code' ? `${figure}\u00a0${currency}` : figure
}

/** Making one costs more than using it a thousand times. */
const formatters = new Map<string, Intl.NumberFormat>()

function formatterOf(
  currency: string,
  locale: string,
  signed: boolean,
  isSymbol: boolean,
): Intl.NumberFormat {
  const name = [currency, locale, signed, isSymbol].join()
  const made = formatters.get(name)
  if (made) return made
  // The browser's own table gives some currencies fewer decimals than ISO 4217.
  const exponent = exponentOf(currency)
  // '$' alone is the US dollar's, as in the bank's messages. The narrow symbols of 20 others are '$' too.
  const currencyDisplay = currency === 'USD' ? 'narrowSymbol' : 'symbol'
  const formatter = new Intl.NumberFormat(locale, {
    ...(isSymbol && { style: 'currency', currency, currencyDisplay }),
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
    signDisplay: signed ? 'exceptZero' : 'negative',
  })
  formatters.set(name, formatter)
  return formatter
}

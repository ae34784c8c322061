/** The languages that messages are written in; the first is for everybody who has chosen none. */
export const languages = ['en', 'de'] as const

export type Language = (typeof languages)[number]

/** How people who read a language write money and times. */
export interface Formats {
  /** ('1234.50', 'USD') becomes $1,234.50 in English. Exact for any number of digits. */
  money: (amount: string, currency: string) => string
  /** An RFC 3339 time becomes `Jan 5, 2026, 9:30 AM UTC`. */
  time: (timestamp: string) => string
  /** The last characters of an id, by which its owner recognises it. */
  ending: (id: string) => string
}

// The English of the bank is American: it writes $1,234.50.
const LOCALES: Record<Language, string> = { en: 'en-US', de: 'de-DE' }

/** Returns the formats of a language. */
export const formatsOf = (language: Language): Formats => ({
  money: (amount, currency) => formatMoney(amount, currency, language),
  time: (timestamp) => formatTime(timestamp, language),
  ending: (id) => id.slice(-6),
})

// Making a format takes fifty times as long as using it.
const moneyFormats = new Map<string, Intl.NumberFormat>()
const timeFormats = new Map<Language, Intl.DateTimeFormat>()

/** Formats a decimal string for people: ('1234.50', 'USD') becomes $1,234.50. Exact for any number of
 * digits. */
export function formatMoney(amount: string, currency: string, language: Language = 'en'): string {
  const decimals = amount.split('.')[1]?.length ?? 0
  const key = `${language} ${currency} ${decimals}`
  const format = moneyFormats.get(key) ?? moneyFormatOf(LOCALES[language], currency, decimals)
  moneyFormats.set(key, format)
  // Intl formats the digits of a string as they are; a number would be rounded to 53 bits (ECMA-402).
  return format.format(amount as Intl.StringNumericLiteral)
}

const moneyFormatOf = (locale: string, currency: string, decimals: number): Intl.NumberFormat =>
  new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    // The bank's own number of decimals; the language data may say otherwise.
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })

function formatTime(timestamp: string, language: Language): string {
  const format =
    timeFormats.get(language) ??
    new Intl.DateTimeFormat(LOCALES[language], { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
  timeFormats.set(language, format)
  // Some versions of Node put a narrow space before AM and PM, which not every font and phone shows.
  return `${format.format(new Date(timestamp)).replaceAll('\u202f', ' ')} UTC`
}

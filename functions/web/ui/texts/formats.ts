import type { PageLanguage } from './language.ts'
import { shownZone } from './zone.ts'

/** Languages of dates and numbers: British English, so that no date is read the wrong way round. */
const LOCALES: Record<PageLanguage, string> = { en: 'en-GB', de: 'de-DE' }

export const localeOf = (language: PageLanguage): string => LOCALES[language]

const kept = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>()

/** To make a formatter takes a hundred times longer than to use it. */
function keep<Format extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(
  key: string,
  create: () => Format,
): Format {
  const format = (kept.get(key) as Format | undefined) ?? create()
  kept.set(key, format)
  return format
}

/** Writes a moment, or a part of it, in the zone that the reader chose. UTC is named. */
function writeIn(language: PageLanguage, at: Date, name: string, style: Intl.DateTimeFormatOptions): string {
  const isUtc = shownZone() === 'utc'
  const text = keep(`${name} ${language} ${isUtc}`, () => {
    return new Intl.DateTimeFormat(LOCALES[language], { ...style, ...(isUtc && { timeZone: 'UTC' }) })
  }).format(at)
  return isUtc && style.timeStyle ? `${text}\u00a0UTC` : text
}

/** Writes a moment as a date and a time. */
export const formatMoment = (language: PageLanguage, at: Date): string =>
  writeIn(language, at, 'moment', { dateStyle: 'medium', timeStyle: 'short' })

/** Writes a moment as a date. */
export const formatDate = (language: PageLanguage, at: Date): string =>
  writeIn(language, at, 'date', { dateStyle: 'medium' })

/** Writes a day, `2026-11-27`. It is the same day in every zone. */
export const formatDay = (language: PageLanguage, day: string): string =>
  keep(`day ${language}`, () => {
    return new Intl.DateTimeFormat(LOCALES[language], { dateStyle: 'medium', timeZone: 'UTC' })
  }).format(new Date(day))

/** Writes the time of day of a moment. */
export const formatTime = (language: PageLanguage, at: Date): string =>
  writeIn(language, at, 'time', { timeStyle: 'short' })

/** Writes the time of day of a moment, to the second. */
export const formatSeconds = (language: PageLanguage, at: Date): string =>
  writeIn(language, at, 'seconds', { timeStyle: 'medium' })

export const formatNumber = (language: PageLanguage, value: number): string =>
  keep(`number ${language}`, () => new Intl.NumberFormat(LOCALES[language])).format(value)

/** Writes a decimal string, such as '-0.50', with all its decimals. */
export function formatDecimal(language: PageLanguage, decimal: string): string {
  const decimals = decimal.split('.')[1]?.length ?? 0
  const format = keep(`decimal ${language} ${decimals}`, () => {
    return new Intl.NumberFormat(LOCALES[language], {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    })
  })
  return format.format(decimal as `${number}`).replace('-', '\u2212')
}

/** Writes how long ago a moment was, in minutes. */
export const formatMinutesAgo = (language: PageLanguage, minutes: number): string =>
  keep(`ago ${language}`, () => {
    return new Intl.RelativeTimeFormat(LOCALES[language], { numeric: 'auto' })
  }).format(-minutes, 'minute')

/** Writes a measured value: three digits of it, and all of those before the point. */
export const formatFigure = (language: PageLanguage, value: number): string =>
  Math.abs(value) < 1_000
    ? keep(`figure ${language}`, () => {
        return new Intl.NumberFormat(LOCALES[language], { maximumSignificantDigits: 3 })
      }).format(value)
    : formatNumber(language, Math.round(value))

import { formatNumber, formatSeconds } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'

/** Returns what writes milliseconds, and times of day with them. A figure and its unit stay on one line. */
export function useClock() {
  const language = useLanguage()
  return {
    ms: (value: number): string =>
      value < 10_000
        ? `${formatNumber(language, value < 10 ? Math.round(value * 10) / 10 : Math.round(value))}\u00a0ms`
        : `${formatNumber(language, Math.round(value / 100) / 10)}\u00a0s`,
    clock: (at: string): string =>
      // The seconds end the time of day; the zone may follow.
      formatSeconds(language, new Date(at)).replace(/\d(?!.*\d)/, `$&.${at.slice(20, 23)}`),
  }
}

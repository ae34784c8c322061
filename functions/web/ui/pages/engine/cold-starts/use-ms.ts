import { formatNumber } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'

/** Returns what writes a duration: in milliseconds, and from ten seconds on in seconds. */
export function useMs(): (ms: number) => string {
  const language = useLanguage()
  return (ms) =>
    ms < 10_000
      ? `${formatNumber(language, ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms))} ms`
      : `${formatNumber(language, Math.round(ms / 1000))} s`
}

import { drawnAt, toDay } from '../../../parts/days.ts'
import { formatMoment, formatSeconds } from '../../../texts/formats.ts'
import { useLanguage } from '../../../texts/language.ts'

/** A moment of today to the second; of another day with its date. */
export function Clock({ at }: { at: string }) {
  const language = useLanguage()
  const date = new Date(at)
  const full = formatMoment(language, date)
  const isToday = toDay(date) === toDay(drawnAt())
  return (
    <time dateTime={at} title={full}>
      {isToday ? formatSeconds(language, date) : full}
    </time>
  )
}

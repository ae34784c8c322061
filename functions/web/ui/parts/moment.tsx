import { formatMinutesAgo, formatMoment } from '../texts/formats.ts'
import { useLanguage } from '../texts/language.ts'
import { useNow } from './use-now.ts'

/** A moment in the zone that the reader chose, given as the bank gives it; relative within the last hour. */
export function Moment({ at }: { at: string }) {
  const language = useLanguage()
  const now = useNow()
  const date = new Date(at)
  const minutes = Math.floor((now - date.getTime()) / 60_000)
  const full = formatMoment(language, date)
  // What has just happened is later than the last tick of the page's clock.
  const isRecent = minutes >= -1 && minutes < 60
  return (
    <time dateTime={at} title={full}>
      {isRecent ? formatMinutesAgo(language, Math.max(0, minutes)) : full}
    </time>
  )
}

import type { Schedule } from '../../data/orders.ts'
import { useTexts } from '../../texts/define-texts.ts'
import { formatDay } from '../../texts/formats.ts'
import { useLanguage } from '../../texts/language.ts'
import { texts } from './orders.texts.ts'

type Weekday = 1 | 2 | 3 | 4 | 5 | 6 | 7

/** Returns a function that says in words when an order is due. */
export function useRuleWords(): (schedule: Schedule) => string {
  const said = useTexts(texts)
  const language = useLanguage()
  return ({ every, on = 1, at = '', time_zone: zone = 'UTC', until, count }) => {
    if (every === undefined) return said.once
    const rule =
      every === 'day'
        ? said.day(at)
        : every === 'week'
          ? said.week(said.weekdays[on as Weekday], at)
          : said.month(String(on), at)
    const end = until ? said.until(formatDay(language, until)) : ''
    return [rule, `(${zone})`, end, count === undefined ? '' : said.times(String(count))]
      .filter(Boolean)
      .join(' ')
  }
}

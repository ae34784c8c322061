import { Temporal } from 'temporal-polyfill'

/** When an order recurs. Dates and times are those of a clock on the wall in the time zone. */
export interface Recurrence {
  every: 'day' | 'week' | 'month'
  /** The weekday (1 is Monday), or the day of the month (1 to 31); null for 'day'. */
  on: number | null
  /** HH:MM. */
  at: string
  /** Name in the IANA database: Europe/Berlin. */
  timeZone: string
  /** First day on which it may be due: YYYY-MM-DD. */
  from: string
  /** Last day on which it may be due; null for none. */
  until: string | null
  /** How often it is due; null for ever. */
  count: number | null
}

/** One of the moments at which a recurrence is due. */
export interface Occurrence {
  /** 1 for the first. */
  number: number
  dueAt: Date
}

const YEAR_MAX = 9999

/** Returns the first occurrence after `after`; undefined if there is none. It looks at a handful of dates,
 * however many have passed.
 *
 * In a month without the day `on`, its last day stands in for it. A time that a change of clocks skips is as
 * much later as the clocks went forward; of a time that comes twice, the first counts (RFC 5545, 3.3.5). If a
 * zone skips a whole day, what was due then is due on the next day, and if that is due too, there is one
 * occurrence for both. */
export function occurrenceAfter(recurrence: Recurrence, after: Date): Occurrence | undefined {
  const { until, count } = recurrence
  const first = firstDate(recurrence)
  const today = localDate(after, recurrence.timeZone)
  // Two earlier than it can be: zones have skipped a day, and a month's day may still be to come.
  for (let number = Math.max(1, passed(recurrence, first, today) - 1); ; number++) {
    const date = dateOf(recurrence, first, number)
    const isOver = (count !== null && number > count) || (until !== null && date.toString() > until)
    if (isOver || date.year > YEAR_MAX) return undefined
    const due = momentOf(date, recurrence)
    if (due > after.getTime()) return { number, dueAt: new Date(due) }
  }
}

/** Returns the date of a moment in a time zone: YYYY-MM-DD. */
export const dateIn = (timeZone: string, moment: Date): string => localDate(moment, timeZone).toString()

/** Returns a moment as the clocks in a time zone show it, with their offset: 2026-10-25T09:00:00+01:00. */
export const clockIn = (timeZone: string, moment: Date): string =>
  Temporal.Instant.fromEpochMilliseconds(moment.getTime()).toString({ timeZone, smallestUnit: 'second' })

/** Returns the day that `on` stands for if it is left out: that of the first date. */
export function dayOf(every: 'week' | 'month', date: string): number {
  const { dayOfWeek, day } = Temporal.PlainDate.from(date)
  return every === 'week' ? dayOfWeek : day
}

const localDate = (moment: Date, timeZone: string): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(moment.getTime()).toZonedDateTimeISO(timeZone).toPlainDate()

function momentOf(date: Temporal.PlainDate, { at, timeZone }: Recurrence): number {
  const local = date.toPlainDateTime(Temporal.PlainTime.from(at))
  return local.toZonedDateTime(timeZone, { disambiguation: 'compatible' }).epochMilliseconds
}

function firstDate({ every, on, from }: Recurrence): Temporal.PlainDate {
  const start = Temporal.PlainDate.from(from)
  if (every === 'day') return start
  if (every === 'week') return start.add({ days: (on! - start.dayOfWeek + 7) % 7 })
  const inMonth = start.with({ day: on! })
  return Temporal.PlainDate.compare(inMonth, start) < 0 ? monthly(inMonth, on!, 1) : inMonth
}

function dateOf({ every, on }: Recurrence, first: Temporal.PlainDate, number: number): Temporal.PlainDate {
  if (every === 'month') return monthly(first, on!, number - 1)
  return first.add({ days: (number - 1) * (every === 'week' ? 7 : 1) })
}

/** Counted from the first of the month, so that a short month does not shorten those after it. */
const monthly = (date: Temporal.PlainDate, on: number, later: number): Temporal.PlainDate =>
  date.with({ day: 1 }).add({ months: later }).with({ day: on })

/** How many whole days, weeks or months have passed since the first date. */
function passed({ every }: Recurrence, first: Temporal.PlainDate, today: Temporal.PlainDate): number {
  if (every === 'month') return (today.year - first.year) * 12 + today.month - first.month
  const days = first.until(today, { largestUnit: 'day' }).days
  return every === 'week' ? Math.floor(days / 7) : days
}

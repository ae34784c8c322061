import { momentSchema, toDate } from '../../host/moment.ts'
import { ProblemError, problems } from '../../host/problems.ts'
import type { Infer } from '../../host/schema.ts'
import type { Occurrence, Recurrence } from './calendar.ts'

/** Most runs of an order with a `count`: every day for 27 years. */
const COUNT_MAX = 10_000
const YEARS_AHEAD_MAX = 10
const YEAR_MS = 366 * 86_400_000

const dateSchema = { type: 'string', format: 'date', pattern: '^(?!0000)' } as const

/** When an order is due, as callers write it: `run_at`, or `every` with what belongs to it. Alternatives
 * would report the faults of each, so only the contract has them, and readSchedule() checks what belongs
 * together. */
export const scheduleSchema = {
  title: 'Schedule',
  type: 'object',
  additionalProperties: false,
  'x-contract': {
    anyOf: [{ required: ['run_at'] }, { required: ['every'] }],
    dependentSchemas: { run_at: { maxProperties: 1 }, until: { properties: { count: false } } },
  },
  properties: {
    run_at: momentSchema,
    every: { enum: ['day', 'week', 'month'] },
    on: { type: 'integer', minimum: 1, maximum: 31 },
    at: { type: 'string', pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' },
    time_zone: { type: 'string', maxLength: 64, pattern: '^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+){1,2})$' },
    from: dateSchema,
    until: dateSchema,
    count: { type: 'integer', minimum: 1, maximum: COUNT_MAX },
  },
} as const

export type AskedSchedule = Infer<typeof scheduleSchema>

/** When an order is due: once, or again and again. */
export type Schedule = { runAt: Date } | Recurrence

/** The columns of payment_orders that hold a schedule. Dates are read as text. */
export interface ScheduleRow {
  run_at: Date | null
  every: Recurrence['every'] | null
  on_day: number | null
  at_time: string | null
  time_zone: string | null
  from_date: string | null
  until_date: string | null
  run_count: number | null
}

export const scheduleColumns = `run_at, every, on_day, at_time, time_zone, from_date::text, until_date::text, run_count`

export const toSchedule = (row: ScheduleRow): Schedule =>
  row.run_at
    ? { runAt: row.run_at }
    : {
        every: row.every!,
        on: row.on_day,
        at: row.at_time!,
        timeZone: row.time_zone!,
        from: row.from_date!,
        until: row.until_date,
        count: row.run_count,
      }

export const toScheduleRow = (schedule: Schedule): ScheduleRow =>
  'runAt' in schedule
    ? {
        ...{ run_at: schedule.runAt, every: null, on_day: null, at_time: null, time_zone: null },
        ...{ from_date: null, until_date: null, run_count: null },
      }
    : {
        run_at: null,
        every: schedule.every,
        on_day: schedule.on,
        at_time: schedule.at,
        time_zone: schedule.timeZone,
        from_date: schedule.from,
        until_date: schedule.until,
        run_count: schedule.count,
      }

/** Returns a schedule as the API shows it. */
export const showSchedule = (schedule: Schedule) =>
  'runAt' in schedule
    ? { run_at: schedule.runAt.toISOString() }
    : {
        every: schedule.every,
        ...(schedule.on !== null && { on: schedule.on }),
        at: schedule.at,
        time_zone: schedule.timeZone,
        from: schedule.from,
        ...(schedule.until !== null && { until: schedule.until }),
        ...(schedule.count !== null && { count: schedule.count }),
      }

/** Returns when an order is due next after a moment; undefined if never again. Only orders that recur need
 * the calendar, which loads Temporal. */
export async function nextOf(schedule: Schedule, after: Date): Promise<Occurrence | undefined> {
  if ('runAt' in schedule) return schedule.runAt > after ? { number: 1, dueAt: schedule.runAt } : undefined
  const { occurrenceAfter } = await import('./calendar.ts')
  return occurrenceAfter(schedule, after)
}

/** Reads a schedule of a request's body, and tells when it is due first. What is left out: `time_zone` is
 * UTC, `from` is today, `at` is 06:00, `on` is the day of `from`. Throws a ProblemError (400) that points
 * into `/schedule`, also if it is never due after `now`. */
export async function readSchedule(
  asked: AskedSchedule,
  now: Date,
): Promise<{ schedule: Schedule; first: Occurrence }> {
  const schedule = asked.run_at === undefined ? await readRecurrence(asked, now) : readOnce(asked)
  const first = await nextOf(schedule, now)
  if (!first)
    throw invalid('runAt' in schedule ? 'run_at' : '', 'must be due at least once after this request')
  if (first.dueAt.getTime() > now.getTime() + YEARS_AHEAD_MAX * YEAR_MS)
    throw invalid('runAt' in schedule ? 'run_at' : 'from', `must be within ${YEARS_AHEAD_MAX} years`)
  return { schedule, first }
}

function readOnce({ run_at: text, ...rest }: AskedSchedule): Schedule {
  const [other] = Object.keys(rest)
  if (other !== undefined) throw invalid(other, 'does not go with run_at')
  return { runAt: toDate(text!) }
}

async function readRecurrence(asked: AskedSchedule, now: Date): Promise<Recurrence> {
  const { every, on, at = '06:00', time_zone: timeZone = 'UTC', until = null, count = null } = asked
  if (every === undefined) throw invalid('', 'must have either run_at or every')
  if (until !== null && count !== null) throw invalid('count', 'does not go with until')
  if (!isTimeZone(timeZone)) throw invalid('time_zone', 'must be a time zone of the IANA database')
  if (every === 'day' && on !== undefined) throw invalid('on', 'does not go with every day')
  if (every === 'week' && on !== undefined && on > 7)
    throw invalid('on', 'must be a weekday from 1 (Monday) to 7')
  const { dateIn, dayOf } = await import('./calendar.ts')
  const from = asked.from ?? dateIn(timeZone, now)
  return { every, on: every === 'day' ? null : (on ?? dayOf(every, from)), at, timeZone, from, until, count }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

const invalid = (field: string, message: string): ProblemError =>
  new ProblemError(problems.invalidInput, 'The body does not match what this operation accepts.', {
    errors: [{ path: field ? `/schedule/${field}` : '/schedule', message }],
  })

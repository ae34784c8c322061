import { timeOf } from '../../host/database/database.ts'
import { route } from '../../host/operation.ts'
import { nextOf, readSchedule, scheduleSchema, showSchedule, type Schedule } from './schedule.ts'

/** Dates that a preview shows. */
const DATES = 5

const dueSchema = {
  title: 'DueDate',
  type: 'object',
  additionalProperties: false,
  required: ['due_at', 'local'],
  properties: {
    due_at: { type: 'string', format: 'date-time' },
    local: {
      type: 'string',
      format: 'date-time',
      description: 'The same on the clocks of the schedule’s time zone; of an order that runs once, in UTC.',
    },
  },
} as const

/** Shows when an order with a schedule would be due, before it is created. It belongs to create-order, so
 * that a customer who looks at the dates doesn't wait for another start when they save. */
export const previewRoute = route({
  method: 'POST',
  path: '/orders/preview',
  who: 'signed-in',
  summary: 'The next five dates of a schedule; nothing is stored',
  audits: { nothing: 'it changes nothing, and shows nobody’s data' },
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['schedule'],
    properties: { schedule: scheduleSchema },
  },
  answers: {
    200: {
      title: 'OrderPreview',
      type: 'object',
      additionalProperties: false,
      required: ['schedule', 'dates', 'has_more'],
      properties: {
        // With all that follows from what was left out.
        schedule: scheduleSchema,
        dates: { type: 'array', items: dueSchema, maxItems: DATES },
        has_more: { type: 'boolean', description: 'Whether it is due again after these.' },
      },
    },
  },
  handle: async ({ body }, { db }) => {
    const { schedule, first } = await readSchedule(body.schedule, await timeOf(db))
    const due = await datesOf(schedule, first.dueAt)
    const { clockIn } = await import('./calendar.ts')
    const timeZone = 'runAt' in schedule ? 'UTC' : schedule.timeZone
    const dates = due
      .slice(0, DATES)
      .map((date) => ({ due_at: date.toISOString(), local: clockIn(timeZone, date) }))
    return { status: 200, body: { schedule: showSchedule(schedule), dates, has_more: due.length > DATES } }
  },
})

/** Returns the first dates of a schedule, and one more than a preview shows. */
async function datesOf(schedule: Schedule, first: Date): Promise<Date[]> {
  const dates = [first]
  while (dates.length <= DATES) {
    const next = await nextOf(schedule, dates.at(-1)!)
    if (!next) break
    dates.push(next.dueAt)
  }
  return dates
}

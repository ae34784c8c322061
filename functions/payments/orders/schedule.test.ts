import fc from 'fast-check'
import { createAjv } from '../../host/http/compile-validators.ts'
import type { FieldError, ProblemError } from '../../host/problems.ts'
import { isRule, shown } from '../../host/testing/shown.ts'
import { readSchedule, scheduleSchema, type AskedSchedule } from './schedule.ts'

const isChecked = createAjv('body').compile(scheduleSchema)
const fits = shown(scheduleSchema)

/** What the bank finds wrong with a schedule that was asked for on a day of 2026; undefined if nothing. */
async function faultOf(asked: AskedSchedule): Promise<FieldError | undefined> {
  if (!isChecked(asked)) return { path: '/schedule', message: 'is not of the schema' }
  const fault = await readSchedule(asked, new Date('2026-07-01T12:00:00Z')).then(
    () => undefined,
    (error: ProblemError) => (error.reply.body as { errors: FieldError[] }).errors[0]!,
  )
  return fault
}

test('the contract takes the schedules that the bank takes, and of the rest only what a rule refuses', async () => {
  const asked = fc.record(
    {
      run_at: fc.constantFrom('2026-08-01T00:00:00Z', '2026-06-01T00:00:00Z', '2099-01-01T00:00:00Z', 'soon'),
      every: fc.constantFrom('day', 'week', 'month', 'year') as fc.Arbitrary<'day'>,
      on: fc.constantFrom(1, 7, 8, 31, 32),
      at: fc.constantFrom('06:00', '24:00'),
      time_zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Europe/Nowhere', 'here'),
      from: fc.constantFrom('2026-07-02', '2099-01-01', '2026-02-31'),
      until: fc.constantFrom('2026-12-31', '2026-01-01', '2026-02-31'),
      count: fc.constantFrom(0, 1, 12),
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(asked, async (schedule) => {
      const fault = await faultOf(schedule)
      if (!fault) expect([schedule, fits(schedule)]).toEqual([schedule, true])
      else if (fits(schedule)) expect([schedule, isRule(fault) || fault]).toEqual([schedule, true])
    }),
    { numRuns: 2000 },
  )
})

test.each<[string, AskedSchedule, boolean]>([
  ['a moment', { run_at: '2026-08-01T00:00:00Z' }, true],
  ['a moment and a weekday', { run_at: '2026-08-01T00:00:00Z', on: 1 }, false],
  ['a moment and each day', { run_at: '2026-08-01T00:00:00Z', every: 'day' }, false],
  ['each week, so often', { every: 'week', on: 5, count: 4 }, true],
  ['each week, so often and up to a day', { every: 'week', count: 4, until: '2026-12-31' }, false],
  ['neither', { at: '06:00' }, false],
])('the contract and the bank agree on %s', async (_what, asked, isTaken) => {
  expect([fits(asked), (await faultOf(asked)) === undefined]).toEqual([isTaken, isTaken])
})

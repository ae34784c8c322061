import fc from 'fast-check'
import { DateTime } from 'luxon'
import { RRule } from 'rrule'
import { occurrenceAfter, type Occurrence, type Recurrence } from './calendar.ts'

/** When orders are due: by hand where it matters, and compared with two other libraries everywhere else.
 * rrule knows the recurrences of RFC 5545 and no time zones; luxon knows time zones. */

const recurrence = (given: Partial<Recurrence>): Recurrence => ({
  ...{ every: 'month', on: 31, at: '09:00', timeZone: 'UTC', from: '2027-01-01', until: null, count: null },
  ...given,
})

/** The first occurrences after a moment, in order. */
function list(given: Recurrence, length: number, after = new Date(0)): Occurrence[] {
  const found: Occurrence[] = []
  for (let last = after; found.length < length; last = found.at(-1)!.dueAt) {
    const next = occurrenceAfter(given, last)
    if (!next) break
    found.push(next)
  }
  return found
}

const moments = (...given: Parameters<typeof list>): string[] =>
  list(...given).map(({ dueAt }) => dueAt.toISOString().slice(0, 16))

describe('a day that a month does not have', () => {
  test('is its last day, and the months after it have the day again', () => {
    expect(moments(recurrence({}), 5)).toEqual([
      '2027-01-31T09:00',
      '2027-02-28T09:00',
      '2027-03-31T09:00',
      '2027-04-30T09:00',
      '2027-05-31T09:00',
    ])
  })

  test('is 29 February in a leap year, also in one of a century', () => {
    const on30 = (from: string) => moments(recurrence({ on: 30, from }), 1)
    expect([on30('2028-02-01'), on30('2100-02-01'), on30('2400-02-01')]).toEqual([
      ['2028-02-29T09:00'],
      ['2100-02-28T09:00'],
      ['2400-02-29T09:00'],
    ])
  })

  test('is due in the first month if its last day is still to come', () => {
    expect(moments(recurrence({ from: '2027-02-28' }), 2)).toEqual(['2027-02-28T09:00', '2027-03-31T09:00'])
    expect(moments(recurrence({ on: 27, from: '2027-02-28' }), 1)).toEqual(['2027-03-27T09:00'])
  })
})

describe('when clocks change', () => {
  const daily = (given: Partial<Recurrence>) => recurrence({ every: 'day', on: null, ...given })

  test('a time that does not exist is as much later as the clocks went forward', () => {
    const berlin = { at: '02:30', timeZone: 'Europe/Berlin', from: '2026-03-28' }
    expect(moments(daily(berlin), 3)).toEqual(['2026-03-28T01:30', '2026-03-29T01:30', '2026-03-30T00:30'])
    const lordHowe = { at: '02:15', timeZone: 'Australia/Lord_Howe', from: '2026-10-04' }
    expect(moments(daily(lordHowe), 1)).toEqual(['2026-10-03T15:45'])
  })

  test('of a time that comes twice, the first counts, and the second is no other occurrence', () => {
    const berlin = { at: '02:30', timeZone: 'Europe/Berlin', from: '2026-10-24' }
    expect(moments(daily(berlin), 3)).toEqual(['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'])
    // Between the two.
    const [next] = moments(daily(berlin), 1, new Date('2026-10-25T01:00:00Z'))
    expect(next).toBe('2026-10-26T01:30')
  })

  test('a day that a zone skipped is due on the next, once', () => {
    const apia = { timeZone: 'Pacific/Apia', from: '2011-12-29' }
    expect(list(daily(apia), 3)).toEqual([
      { number: 1, dueAt: new Date('2011-12-29T19:00:00Z') },
      { number: 2, dueAt: new Date('2011-12-30T19:00:00Z') },
      { number: 4, dueAt: new Date('2011-12-31T19:00:00Z') },
    ])
    expect(moments(recurrence({ on: 30, ...apia }), 2)).toEqual(['2011-12-30T19:00', '2012-01-29T19:00'])
  })
})

describe('the end', () => {
  test('`until` is the last day in the zone, and counts', () => {
    const tokyo = { every: 'day', on: null, at: '00:30', timeZone: 'Asia/Tokyo' } as const
    // At 00:30 in Tokyo, it is still the day before in UTC.
    expect(moments(recurrence({ ...tokyo, from: '2027-03-01', until: '2027-03-03' }), 9)).toEqual([
      '2027-02-28T15:30',
      '2027-03-01T15:30',
      '2027-03-02T15:30',
    ])
  })

  test('`count` is the number of occurrences, also of those that have passed', () => {
    const twelve = recurrence({ count: 12 })
    expect(list(twelve, 99)).toHaveLength(12)
    expect(moments(twelve, 99, new Date('2027-10-31T09:00:00Z'))).toEqual([
      '2027-11-30T09:00',
      '2027-12-31T09:00',
    ])
  })

  test('is the year 9999 at the latest', () => {
    expect(moments(recurrence({ from: '9999-11-01' }), 9)).toEqual(['9999-11-30T09:00', '9999-12-31T09:00'])
    expect(occurrenceAfter(recurrence({}), new Date('9999-12-31T23:00:00Z'))).toBeUndefined()
  })
})

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Santiago',
  'Africa/Casablanca',
  'Asia/Kathmandu',
  'Asia/Gaza',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Antarctica/Troll',
]

const two = (n: number): string => String(n).padStart(2, '0')

const date = (from: string, to: string) =>
  fc
    .date({ min: new Date(from), max: new Date(to), noInvalidDate: true })
    .map((day) => day.toISOString().slice(0, 10))

const anyRecurrence: fc.Arbitrary<Recurrence> = fc
  .record({
    kind: fc.oneof(
      fc.record({ every: fc.constant('day' as const), on: fc.constant(null) }),
      fc.record({ every: fc.constant('week' as const), on: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ every: fc.constant('month' as const), on: fc.integer({ min: 1, max: 31 }) }),
    ),
    // Clocks change in the first hours of a day.
    at: fc.oneof(
      fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(0, 15, 30, 45)),
      fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 })),
    ),
    timeZone: fc.constantFrom(...ZONES),
    from: fc.oneof(date('2005-01-01', '2045-01-01'), date('2005-01-01', '9990-01-01')),
    count: fc.option(fc.integer({ min: 1, max: 400 }), { nil: null }),
    days: fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: null }),
  })
  .map(({ kind, at: [hours, minutes], days, ...rest }) => ({
    ...{ ...kind, ...rest, at: `${two(hours)}:${two(minutes)}` },
    until:
      days === null ? null : new Date(Date.parse(rest.from) + days * 86_400_000).toISOString().slice(0, 10),
  }))

const WEEKDAYS = [RRule.MO, RRule.TU, RRule.WE, RRule.TH, RRule.FR, RRule.SA, RRule.SU]

/** The dates by RFC 5545. Of the days from 28 up to the wanted one, the last that the month has is meant. */
function datesByRrule({ every, on, from, until, count }: Recurrence, length: number): string[] {
  const days = on !== null && on > 28 ? [28, 29, 30, 31].filter((day) => day <= on) : [on ?? 1]
  const rule = new RRule({
    dtstart: new Date(`${from}T00:00:00Z`),
    count: Math.min(count ?? length, length),
    until: until === null ? null : new Date(`${until}T00:00:00Z`),
    ...(every === 'day' && { freq: RRule.DAILY }),
    ...(every === 'week' && { freq: RRule.WEEKLY, byweekday: [WEEKDAYS[on! - 1]!] }),
    ...(every === 'month' && { freq: RRule.MONTHLY, bymonthday: days, bysetpos: -1 }),
  })
  return rule.all().map((day) => day.toISOString().slice(0, 10))
}

function momentByLuxon(day: string, { at, timeZone: zone }: Recurrence): number {
  const wanted = `${day}T${at}`
  const asIfUtc = (time: DateTime): number => Number(time.setZone('UTC', { keepLocalTime: true }))
  let local = DateTime.fromISO(wanted, { zone })
  // Luxon searches from today's offset. Where a zone has crossed the date line since, as Samoa has, it may
  // end an hour off, beside a change of clocks, though there is such a time.
  const closer = local.plus(Number(DateTime.fromISO(wanted, { zone: 'UTC' })) - asIfUtc(local))
  if (closer.toFormat("yyyy-MM-dd'T'HH:mm") === wanted) local = closer
  return Math.min(...local.getPossibleOffsets().map((possible) => possible.toMillis()))
}

test('the other library is right beside a change of clocks, in a zone that has crossed the date line since', () => {
  const given = recurrence({
    every: 'day',
    on: null,
    at: '00:00',
    timeZone: 'Pacific/Apia',
    from: '2011-09-25',
  })
  expect(new Date(momentByLuxon('2011-09-25', given)).toISOString()).toBe('2011-09-25T10:00:00.000Z')
  expect(moments(given, 1)).toEqual(['2011-09-25T10:00'])
})

test('by every schedule in every zone, the same is due as by other libraries', () => {
  const LENGTH = 30
  fc.assert(
    fc.property(anyRecurrence, (given) => {
      const expected = datesByRrule(given, LENGTH).map((day, i) => ({
        number: i + 1,
        dueAt: new Date(momentByLuxon(day, given)),
      }))
      // Two that are due at the same moment are one, and the first has the number.
      const distinct = expected.filter(({ dueAt }, i) => Number(dueAt) !== Number(expected[i - 1]?.dueAt))
      expect(list(given, distinct.length, new Date('1990-01-01'))).toEqual(distinct)
    }),
    { numRuns: 300 },
  )
})

test('whatever the moment, the next occurrence is the first of all that come after it', () => {
  fc.assert(
    fc.property(anyRecurrence, fc.nat(), fc.integer({ min: -2, max: 2 }), (given, n, around) => {
      const all = list(given, 60, new Date('1990-01-01'))
      if (all.length === 0) return
      const at = new Date(Number(all[n % all.length]!.dueAt) + around * 1_800_000)
      const expected = all.find(({ dueAt }) => dueAt > at)
      if (expected) expect(occurrenceAfter(given, at)).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})

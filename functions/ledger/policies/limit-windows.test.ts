import fc from 'fast-check'
import type { PostingRequest } from '../posting/posting-request.ts'
import {
  alice,
  deposit,
  ending,
  placing,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import { limitTo, setTime } from '../testing/policies-fixture.ts'

/** What counts for the windows of limits, and when a window ends. */

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(async () => {
  expect(await ledger.faults()).toEqual([])
  await ledger.close()
})

const MINUTE = 60_000

/** Each of them changes to or from summer time on another day; one by half an hour, one is 14 hours ahead. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Santiago',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Pacific/Kiritimati',
]

/** Moments shortly before clocks change, or a year ends. */
const STARTS = [
  '2031-10-25T20:00:00Z',
  '2031-11-01T22:00:00Z',
  '2031-12-31T09:30:00Z',
  '2032-03-13T20:00:00Z',
  '2032-03-27T20:00:00Z',
  '2032-04-02T20:00:00Z',
]

interface Step {
  kind: 'transfer' | 'place' | 'capture' | 'release' | 'expire'
  amount: number
  /** Which of the open holds. */
  hold: number
  /** Minutes since the step before. */
  later: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('transfer', 'transfer', 'place', 'capture', 'release', 'expire'),
  amount: fc.integer({ min: 1, max: 120 }),
  hold: fc.nat(20),
  later: fc.oneof(fc.nat(90), fc.nat(36 * 60), fc.integer({ min: 20 * 24 * 60, max: 31 * 24 * 60 })),
})

/** The calendar day of a moment in a zone, as a number of days. */
const dayOf = (zone: string) => {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })
  return (at: number): number => Date.parse(format.format(at)) / (24 * 60 * MINUTE)
}

interface Gone {
  at: number
  amount: number
}

/** The rules again, written as simply as possible. */
function refusalOf(
  gone: Gone[],
  holds: Hold[],
  now: Gone,
  limits: { day: number; month: number },
  zone: string,
): string {
  const day = dayOf(zone)
  const held = holds.reduce((total, { amount }) => total + amount, 0)
  const sum = (isIn: (one: Gone) => boolean): number =>
    gone.filter(isIn).reduce((total, { amount }) => total + amount, held + now.amount)
  if (sum(({ at }) => day(at) === day(now.at)) > limits.day) return 'day-limit-exceeded'
  if (sum(({ at }) => day(at) > day(now.at) - 30) > limits.month) return 'month-limit-exceeded'
  return 'posted'
}

interface Hold {
  request: PostingRequest
  amount: number
}

/** Posts the steps one by one, and in a simple model. */
async function play(zone: string, start: string, limits: { day: number; month: number }, steps: Step[]) {
  const [from, to] = [await ledger.open(), await ledger.open()]
  await ledger.post(deposit(from, 10n ** 9n, { caller_role: 'operator' }))
  const gone: Gone[] = []
  const holds: Hold[] = []
  let at = Date.parse(start)
  await setTime(ledger, start, from)
  await limitTo(ledger, from, { zone, day: BigInt(limits.day), month: BigInt(limits.month) })
  for (const { kind, amount, hold: nth, later } of steps) {
    at += later * MINUTE
    await setTime(ledger, new Date(at).toISOString(), from)
    const now: Gone = { at, amount }
    if (kind === 'transfer' || kind === 'place') {
      const request = kind === 'place' ? placing(from, amount, LONG) : transfer(from, to, amount)
      const [outcome] = await ledger.post(request)
      expect(outcome!.outcome).toBe(refusalOf(gone, holds, now, limits, zone))
      if (outcome!.outcome !== 'posted') continue
      if (kind === 'place') holds.push({ request, amount })
      else gone.push(now)
      continue
    }
    const [hold] = holds.splice(nth % (holds.length || 1), 1)
    if (!hold) continue
    const taken = kind === 'capture' ? Math.min(amount, hold.amount) : 0
    if (kind === 'expire') await expire(hold.request, at)
    else {
      const request =
        kind === 'capture'
          ? ending('capture', hold.request, taken, { to_account_id: to })
          : ending('release', hold.request)
      expect((await ledger.post(request))[0]!.outcome).toBe('posted')
    }
    if (taken > 0) gone.push({ at, amount: taken })
  }
  await compareWithBooks(from, zone, at)
}

/** Nobody's hold may expire by itself in a test. */
const LONG = { expires_in: 10 * 365 * 24 * 3600 }

/** Ends a hold as if it had expired. */
const expire = async (hold: PostingRequest, at: number): Promise<void> => {
  await ledger.owner.query({ text: 'alter table holds disable trigger append_only_update' })
  await ledger.owner.query({
    text: 'update holds set expires_at = created_at where id = $1',
    values: [hold.id],
  })
  await ledger.owner.query({ text: 'alter table holds enable trigger append_only_update' })
  const [row] = await ledger.owner.query<{ ended: number }>({
    text: 'select end_due_holds(array[$1::uuid], $2) as ended',
    values: [hold.account_id, new Date(at)],
  })
  expect(row!.ended).toBe(1)
}

/** What is counted is what the books say, within the window. */
async function compareWithBooks(account: string, zone: string, at: number): Promise<void> {
  const rows = await ledger.owner.query({
    text: `select coalesce(o.day, b.day), o.amount, b.amount
      from (select * from outflows where account_id = $1 and day > $3::date - 30) o
      full join (
        select b.* from accounts a, outflows_of(a, $2, $3::date - 29) b where a.id = $1
      ) b on b.day = o.day
      where coalesce(o.amount, 0) <> coalesce(b.amount, 0)`,
    values: [account, zone, new Date(dayOf(zone)(at) * 24 * 60 * MINUTE).toISOString().slice(0, 10)],
  })
  expect(rows).toEqual([])
}

test('days and months are those of the account’s time zone, whatever happens when, also around a change of clocks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...ZONES),
      fc.constantFrom(...STARTS),
      fc.record({ day: fc.integer({ min: 60, max: 300 }), month: fc.integer({ min: 150, max: 900 }) }),
      fc.array(step, { minLength: 5, maxLength: 25 }),
      play,
    ),
    { numRuns: 30 },
  )
})

const outcomesAt = async (
  moment: string,
  from: string,
  to: string,
  ...amounts: number[]
): Promise<string[]> => {
  await setTime(ledger, moment, from)
  const outcomes = await ledger.post(...amounts.map((amount) => transfer(from, to, amount)))
  return outcomes.map(({ outcome }) => outcome)
}

const funded = async (): Promise<string> => {
  const id = await ledger.open()
  await ledger.post(deposit(id, 10_000))
  return id
}

test('a day ends at midnight of the account’s time zone, and not of another', async () => {
  const [from, to] = [await funded(), await ledger.open()]
  await limitTo(ledger, from, { day: 100n, zone: 'America/New_York' })
  const day = 'day-limit-exceeded'
  expect(await outcomesAt('2031-07-01T23:59:59.999Z', from, to, 100, 1)).toEqual(['posted', day])
  // Midnight in Greenwich, and one millisecond before midnight in New York.
  expect(await outcomesAt('2031-07-02T00:00:00.000Z', from, to, 1)).toEqual([day])
  expect(await outcomesAt('2031-07-02T03:59:59.999Z', from, to, 1)).toEqual([day])
  expect(await outcomesAt('2031-07-02T04:00:00.000Z', from, to, 100, 1)).toEqual(['posted', day])
})

test('a day with 25 hours is one day, and so is one with 23', async () => {
  const [from, to] = [await funded(), await ledger.open()]
  await limitTo(ledger, from, { day: 100n, zone: 'Europe/Berlin' })
  expect(await outcomesAt('2031-10-25T22:00:00Z', from, to, 100)).toEqual(['posted'])
  expect(await outcomesAt('2031-10-26T22:59:59.999Z', from, to, 1)).toEqual(['day-limit-exceeded'])
  expect(await outcomesAt('2031-10-26T23:00:00Z', from, to, 100)).toEqual(['posted'])
  expect(await outcomesAt('2032-03-27T23:00:00Z', from, to, 100)).toEqual(['posted'])
  expect(await outcomesAt('2032-03-28T21:59:59.999Z', from, to, 1)).toEqual(['day-limit-exceeded'])
  expect(await outcomesAt('2032-03-28T22:00:00Z', from, to, 100)).toEqual(['posted'])
})

test('a month is 30 days, today included', async () => {
  const [from, to] = [await funded(), await ledger.open()]
  await limitTo(ledger, from, { month: 100n, zone: 'Asia/Kolkata' })
  expect(await outcomesAt('2031-08-01T12:00:00Z', from, to, 60)).toEqual(['posted'])
  // The 30th day, until midnight in Kolkata.
  expect(await outcomesAt('2031-08-30T18:29:59.999Z', from, to, 40, 1)).toEqual([
    'posted',
    'month-limit-exceeded',
  ])
  expect(await outcomesAt('2031-08-30T18:30:00Z', from, to, 60, 1)).toEqual([
    'posted',
    'month-limit-exceeded',
  ])
})

test('what went out before limits were set counts, and so it does after a change of the time zone', async () => {
  const [from, to] = [await funded(), await ledger.open()]
  await setTime(ledger, '2031-09-10T22:30:00Z', from)
  const hold = placing(from, 40, LONG)
  await ledger.post(transfer(from, to, 30), withdrawal(from, 20), hold, deposit(from, 5))
  await ledger.post(ending('capture', hold, 10, { to_account_id: to }))
  await limitTo(ledger, from, { day: 100n, zone: 'UTC' })
  expect(await outcomesAt('2031-09-10T22:40:00Z', from, to, 41, 40)).toEqual(['day-limit-exceeded', 'posted'])
  // In Berlin it is half past midnight: all of it was today.
  await limitTo(ledger, from, { day: 101n, zone: 'Europe/Berlin' })
  expect(await outcomesAt('2031-09-10T22:50:00Z', from, to, 2, 1)).toEqual(['day-limit-exceeded', 'posted'])
  // In Anchorage too, and the day ends at 8:00 UTC.
  await limitTo(ledger, from, { day: 101n, zone: 'America/Anchorage' })
  expect(await outcomesAt('2031-09-11T07:59:59.999Z', from, to, 1)).toEqual(['day-limit-exceeded'])
  expect(await outcomesAt('2031-09-11T08:00:00Z', from, to, 101)).toEqual(['posted'])
})

test('a hold that is due but not yet ended does not keep a limit from being used', async () => {
  const [from, to] = [await funded(), await ledger.open()]
  await limitTo(ledger, from, { day: 100n })
  await setTime(ledger, '2031-09-20T12:00:00Z', from)
  await ledger.post(placing(from, 100, { expires_in: 60 }))
  expect(await outcomesAt('2031-09-20T12:00:59Z', from, to, 100)).toEqual(['day-limit-exceeded'])
  expect(await outcomesAt('2031-09-20T12:01:00Z', from, to, 100)).toEqual(['posted'])
})

test('limits that begin later are not applied before', async () => {
  const [from, to] = [await funded(), await ledger.open()]
  await limitTo(ledger, from, { transaction: 100n })
  await ledger.db.query({
    text: `select set_limits($1, 50, null, null, 'UTC', '2031-10-01T00:00Z', $2, 'a test')`,
    values: [from, alice],
  })
  expect(await outcomesAt('2031-09-30T23:59:59.999Z', from, to, 100, 101)).toEqual([
    'posted',
    'transaction-limit-exceeded',
  ])
  expect(await outcomesAt('2031-10-01T00:00:00Z', from, to, 50, 51)).toEqual([
    'posted',
    'transaction-limit-exceeded',
  ])
})

const namesOf = (outcomes: { outcome: string }[]): string[] => outcomes.map(({ outcome }) => outcome)

test('limits can’t be saved up by holds: what is open counts for each day, and what is captured for its day', async () => {
  const [from, to] = [await funded(), await ledger.open()]
  await limitTo(ledger, from, { day: 100n, month: 250n })
  const [first, second] = [placing(from, 60, LONG), placing(from, 40, LONG)]
  expect(namesOf(await ledger.post(first, second))).toEqual(['posted', 'posted'])
  for (const day of ['02', '03']) {
    await setTime(ledger, `2031-11-${day}T12:00:00Z`, from)
    const outcomes = await ledger.post(placing(from, 1, LONG), transfer(from, to, 1))
    expect(namesOf(outcomes)).toEqual(['day-limit-exceeded', 'day-limit-exceeded'])
  }
  // What was promised can be captured; what is not taken can be used at once.
  const capture = ending('capture', first, 50, { to_account_id: to })
  const more = [transfer(from, to, 11), transfer(from, to, 10)]
  expect(namesOf(await ledger.post(capture, ...more))).toEqual(['posted', 'day-limit-exceeded', 'posted'])
  expect(await outcomesAt('2031-11-04T12:00:00Z', from, to, 61, 60)).toEqual(['day-limit-exceeded', 'posted'])
  await ledger.post(ending('release', second))
  expect(await outcomesAt('2031-11-04T12:00:00Z', from, to, 41, 40)).toEqual(['day-limit-exceeded', 'posted'])
  // 60 were captured and paid on the third of November, 100 on the fourth: 90 are left of 30 days.
  await setTime(ledger, '2031-12-01T12:00:00Z', from)
  const third = placing(from, 90, LONG)
  expect(namesOf(await ledger.post(third, transfer(from, to, 1)))).toEqual(['posted', 'month-limit-exceeded'])
  // Thirty days later it still counts, and the others no longer do.
  expect(await outcomesAt('2032-01-14T12:00:00Z', from, to, 11, 10)).toEqual(['day-limit-exceeded', 'posted'])
})

test('however much goes round, the sums do not overflow, and neither postings nor limits fail', async () => {
  const most = 10n ** 18n
  const [from, to] = [await funded(), await ledger.open()]
  await limitTo(ledger, from, { day: 10n ** 15n, month: 10n ** 15n })
  await ledger.owner.query({
    text: `insert into outflows (account_id, day, amount)
      select $1, '2032-02-01'::date - n, $2 from generate_series(0, 20) n`,
    values: [from, String(most - 5n)],
  })
  expect(await outcomesAt('2032-02-01T12:00:00Z', from, to, 10)).toEqual(['day-limit-exceeded'])
  // Without limits for days it goes on, and the count stays at its end.
  await limitTo(ledger, from, { transaction: 10n })
  expect(await outcomesAt('2032-02-01T12:00:00Z', from, to, 10, 10)).toEqual(['posted', 'posted'])
  const [row] = await ledger.db.query({
    text: `select amount, (limit_room_of(account_id, '2032-02-01T12:00:00Z')).month_used from outflows
      where account_id = $1 and day = '2032-02-01'`,
    values: [from],
  })
  expect(row).toEqual({ amount: most, month_used: most })
  // What was made up goes, so that the proofs of all accounts hold in the end.
  await ledger.owner.query({
    text: `delete from outflows where account_id = $1 and day < '2032-02-01'`,
    values: [from],
  })
  await ledger.owner.query({ text: 'update outflows set amount = 20 where account_id = $1', values: [from] })
})

test('new limits hold from now on, even if the clock is set back: the account’s time moves on', async () => {
  const [from, to] = [await funded(), await ledger.open()]
  const [row] = await ledger.db.query<{ set_at: Date }>({
    text: `select (limits).set_at from set_limits($1, 1, null, null, 'UTC', null, $2, 'a test')`,
    values: [from, alice],
  })
  const [account] = await ledger.db.query<{ posted_at: Date }>({
    text: 'select posted_at from accounts where id = $1',
    values: [from],
  })
  expect(account!.posted_at).toEqual(row!.set_at)
  expect(namesOf(await ledger.post(transfer(from, to, 2)))).toEqual(['transaction-limit-exceeded'])
})

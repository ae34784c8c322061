import fc from 'fast-check'
import { alice, deposit, transfer, withdrawal } from '../testing/ledger-fixture.ts'
import { testStatements, type TestStatements } from '../testing/statement-fixture.ts'

/** Statements by booking time and by value date, compared with a model that reads all entries. */

let statements: TestStatements
let ledger: TestStatements['ledger']

beforeAll(async () => {
  statements = await testStatements()
  ;({ ledger } = statements)
})

afterAll(() => statements?.stop())

interface Booked {
  amount: number
  /** Days after the first day. */
  bookedDay: number
  /** Null: the day of booking. */
  valueDay: number | null
}

const FIRST = Date.UTC(2026, 0, 1)
const DAYS = 20
const dateOf = (day: number): string => new Date(FIRST + day * 86_400_000).toISOString().slice(0, 10)

/** An account whose entries were booked on these days, in this order. */
async function accountWith(booked: readonly Booked[]): Promise<string> {
  const account = await ledger.open()
  const times = booked.map(({ bookedDay }, n) => new Date(FIRST + bookedDay * 86_400_000 + n * 1000))
  await ledger.owner.query({
    text: `with given as (
        select uuidv7() as transaction_id, n as version, amount, at, value_date,
          sum(amount) over (order by n)::bigint as balance_after
        from unnest($2::bigint[], $3::timestamptz[], $4::date[]) with ordinality given (amount, at, value_date, n)
      ),
      stored as (
        insert into transactions (id, type, status, account_id, amount, currency, user_id, balance_after, created_at, value_date)
        select transaction_id, case when amount > 0 then 'deposit' else 'withdrawal' end::transaction_type, 'completed',
          $1, abs(amount), 'USD', $5, balance_after, at, value_date from given
      ),
      entered as (
        insert into entries (account_id, version, transaction_id, amount, balance_after, created_at, value_date, hash)
        select $1, version, transaction_id, amount, balance_after, at, value_date, sha256('') from given
      )
      update accounts set version = last.version, balance = last.balance_after, overdraft_limit = 1000000000
      from (select * from given order by version desc limit 1) last where id = $1`,
    values: [
      account,
      booked.map(({ amount }) => amount),
      times,
      booked.map(({ valueDay }) => (valueDay === null ? null : dateOf(valueDay))),
      alice,
    ],
  })
  return account
}

interface Question {
  basis: 'booking' | 'value'
  from: number | null
  to: number | null
  known: number | null
}

/** What a statement has to say: found by looking at every entry. */
function expected(booked: readonly Booked[], { basis, from, to, known }: Question) {
  const all = booked
    .map((entry, index) => ({ ...entry, version: index + 1 }))
    .filter(({ version }) => version <= (known ?? Infinity))
    .map((entry) => ({
      ...entry,
      day: basis === 'value' ? (entry.valueDay ?? entry.bookedDay) : entry.bookedDay,
    }))
    .sort((a, b) => a.day - b.day || a.version - b.version)
  const before = all.filter(({ day }) => from !== null && day < from)
  const inside = all.filter(({ day }) => (from === null || day >= from) && (to === null || day < to))
  const sum = (entries: typeof all): number => entries.reduce((total, { amount }) => total + amount, 0)
  return {
    opening: sum(before),
    closing: sum(before) + sum(inside),
    versions: inside.map(({ version }) => version),
    days: inside.map(({ valueDay, bookedDay }) => dateOf(valueDay ?? bookedDay)),
    credits: inside.filter(({ amount }) => amount > 0).length,
  }
}

async function asked(account: string, { basis, from, to, known }: Question) {
  const { status, body } = await statements.ask(account, {
    basis,
    ...(from !== null && { from: dateOf(from) }),
    ...(to !== null && { to: dateOf(to) }),
    ...(known !== null && { known_version: known }),
  })
  expect([status, body.errors]).toEqual([200, undefined])
  const cents = (amount: string): number => Math.round(Number(amount) * 100)
  let balance = cents(body.opening_balance)
  for (const { amount, balance_after } of body.entries) {
    balance += cents(amount)
    expect(cents(balance_after)).toBe(balance)
  }
  expect(balance).toBe(cents(body.closing_balance))
  expect(cents(body.opening_balance) + cents(body.credits.sum) - cents(body.debits.sum)).toBe(balance)
  return {
    opening: cents(body.opening_balance),
    closing: cents(body.closing_balance),
    versions: body.entries.map(({ version }: { version: number }) => version),
    days: body.entries.map(({ value_date }: { value_date: string }) => value_date),
    credits: body.credits.count,
  }
}

const day = fc.integer({ min: 0, max: DAYS })
const entries = fc
  .array(
    fc.record({
      amount: fc.integer({ min: -5_000, max: 5_000 }).filter((amount) => amount !== 0),
      bookedDay: day,
      valueDay: fc.option(fc.integer({ min: -5, max: DAYS + 5 })),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((given) => given.sort((a, b) => a.bookedDay - b.bookedDay))

test('both views say what the entries add up to, for any period and whatever was known', async () => {
  await fc.assert(
    fc.asyncProperty(
      entries,
      fc.array(
        fc.record({ from: fc.option(day), length: day, isOpen: fc.boolean(), known: fc.option(fc.nat(30)) }),
        {
          minLength: 3,
          maxLength: 3,
        },
      ),
      async (booked, periods) => {
        const account = await accountWith(booked)
        for (const { from, length, isOpen, known } of periods) {
          const to = isOpen ? null : (from ?? 0) + length
          const period = { from, to, known: known && Math.min(known, booked.length) }
          for (const basis of ['booking', 'value'] as const)
            expect(await asked(account, { ...period, basis })).toEqual(expected(booked, { ...period, basis }))
        }
      },
    ),
    { numRuns: 25 },
  )
})

test('by value date, statements of adjacent days join', async () => {
  await fc.assert(
    fc.asyncProperty(entries, async (booked) => {
      const account = await accountWith(booked)
      let closing = 0
      const versions: number[] = []
      for (let from = -5; from <= DAYS + 5; from += 6) {
        const said = await asked(account, { basis: 'value', from, to: from + 6, known: null })
        expect(said.opening).toBe(closing)
        closing = said.closing
        versions.push(...said.versions)
      }
      expect(versions.sort((a, b) => a - b)).toEqual(booked.map((_, index) => index + 1))
    }),
    { numRuns: 10 },
  )
})

test('more entries with value dates than are read at once are all there, in their order', async () => {
  const booked = Array.from({ length: 2_600 }, (_, n) => ({
    amount: n % 2 ? -3 : 5,
    bookedDay: Math.floor(n / 200),
    // Many on one day.
    valueDay: n % 5 === 0 ? null : n % 3 === 0 ? (n * 7) % DAYS : 4,
  }))
  const account = await accountWith(booked)
  const question = { basis: 'value', from: 2, to: 15, known: 2_500 } as const
  expect(await asked(account, question)).toEqual(expected(booked, question))
})

test('a correction of last month stands in last month by value date, and where it was booked otherwise', async () => {
  // Booked on day 1; taken back on day 15 from the day on which it counted.
  const account = await accountWith([
    { amount: 100, bookedDay: 1, valueDay: null },
    { amount: 40, bookedDay: 2, valueDay: null },
    { amount: -40, bookedDay: 15, valueDay: 2 },
  ])
  const ask = async (basis: 'booking' | 'value', known: number | null, from = 0, to = 10) => {
    const { opening, closing, versions } = await asked(account, { basis, from, to, known })
    return { opening, closing, versions }
  }
  expect(await ask('booking', null)).toEqual({ opening: 0, closing: 140, versions: [1, 2] })
  expect(await ask('value', null)).toEqual({ opening: 0, closing: 100, versions: [1, 2, 3] })
  // Before the correction was known.
  expect(await ask('value', 2)).toEqual({ opening: 0, closing: 140, versions: [1, 2] })
  expect(await ask('booking', null, 10, 20)).toEqual({ opening: 140, closing: 100, versions: [3] })
  expect(await ask('value', null, 10, 20)).toEqual({ opening: 100, closing: 100, versions: [] })
})

test('a real reversal of a deposit with a value date stands beside it, by value date', async () => {
  const account = await ledger.open()
  const other = await ledger.open()
  const today = new Date().toISOString().slice(0, 10)
  const day = new Date(Date.now() - 20 * 86_400_000).toISOString().slice(0, 10)
  const operator = { caller_role: 'operator' } as const
  const first = deposit(account, 70, { ...operator, value_date: day })
  await ledger.post(first, deposit(account, 30), transfer(account, other, 5))
  const back = {
    ...withdrawal(account, 70, operator),
    type: 'reversal',
    reverses: first.id,
    value_date: day,
  } as const
  await ledger.post({ ...back, is_debit: true })
  const { body } = await statements.ask(account, { basis: 'value', to: today })
  expect(body.entries).toMatchObject([
    { value_date: day, amount: '0.70', type: 'deposit' },
    { value_date: day, amount: '-0.70', type: 'reversal' },
  ])
  expect([body.opening_balance, body.closing_balance]).toEqual(['0.00', '0.00'])
  expect((await statements.ask(account)).body.entries).toHaveLength(4)
})

test.each([
  [{ from_version: 0 }, '/from_version'],
  [{ to_version: 1 }, '/to_version'],
  [{ from: '2026-01-01T12:00:00Z' }, '/from'],
  [{ to: '2026-01-02T00:00:01Z' }, '/to'],
  [{ known_version: 99 }, '/known_version'],
])('by value date, %j is refused', async (query, path) => {
  const account = await ledger.open()
  const { status, body } = await statements.ask(account, { basis: 'value', ...query } as Record<
    string,
    string
  >)
  expect([status, body.errors?.[0]?.path]).toEqual([400, path])
})

test('by value date, a period may end in the future, and the same question has the same bytes', async () => {
  const account = await accountWith([{ amount: 5, bookedDay: 1, valueDay: 8 }])
  for (const format of ['json', 'csv', 'pdf', 'camt.053']) {
    const query = { basis: 'value', to: '2999-01-01', known_version: 1, format }
    const before = await statements.ask(account, query)
    await ledger.post(deposit(account, 1))
    expect([before.status, (await statements.ask(account, query)).body]).toEqual([200, before.body])
  }
})

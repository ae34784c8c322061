import { deposit, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

test('the balance at any moment is the one after the last entry until then', async () => {
  const account = await ledger.open()
  for (let i = 1; i <= 20; i++) await ledger.post(deposit(account, i))
  const rows = await ledger.db.query<{ then: bigint; summed: bigint; before: bigint; ever: bigint }>({
    text: `select balance_at(a, e.created_at) as then,
        (select sum(o.amount)::bigint from entries o
          where o.account_id = a.id and o.created_at <= e.created_at) as summed,
        balance_at(a, a.created_at - interval '1 second') as before, balance_at(a, 'infinity') as ever
      from accounts a join entries e on e.account_id = a.id where a.id = $1 order by e.version`,
    values: [account],
  })
  expect(rows).toHaveLength(20)
  for (const row of rows) expect(row).toEqual({ ...row, then: row.summed, before: 0n, ever: 210n })
})

test('an account without entries always had a balance of zero', async () => {
  const account = await ledger.open()
  const [row] = await ledger.db.query({
    text: `select balance_at(a, 'infinity') as ever from accounts a where id = $1`,
    values: [account],
  })
  expect(row).toEqual({ ever: 0n })
})

test('if the clock was set back, entries keep their order and past balances stay the same', async () => {
  const account = await ledger.open()
  await ledger.post(deposit(account, 1))
  // As if the clock had been two hours ahead for a while.
  await ledger.owner.query({
    text: `update accounts set posted_at = now() + interval '2 hours' where id = $1`,
    values: [account],
  })
  for (const amount of [10, 100]) await ledger.post(deposit(account, amount))
  const entries = await ledger.db.query<{ at: Date; then: bigint; just_before: bigint }>({
    text: `select e.created_at as at, balance_at(a, e.created_at) as then,
        balance_at(a, e.created_at - interval '1 microsecond') as just_before
      from accounts a join entries e on e.account_id = a.id where a.id = $1 order by e.version`,
    values: [account],
  })
  const times = entries.map(({ at }) => at.getTime())
  expect(times).toEqual([...times].sort((a, b) => a - b))
  // The last two have the same time, until the clock has caught up.
  expect(entries.map(({ then }) => then)).toEqual([1n, 111n, 111n])
  expect(entries.map(({ just_before }) => just_before)).toEqual([0n, 1n, 1n])
  expect(await ledger.faults()).toEqual([])
})

import { deposit, testLedger, type TestLedger } from './ledger-fixture.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

test('the balance at any moment is that after the last entry until then', async () => {
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

test('an account without entries had a balance of zero at all times', async () => {
  const account = await ledger.open()
  const [row] = await ledger.db.query({
    text: `select balance_at(a, 'infinity') as ever from accounts a where id = $1`,
    values: [account],
  })
  expect(row).toEqual({ ever: 0n })
})

import { deposit, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'

/** Accounts with more entries than are checked together with those of others. */

const ENTRIES = 450
let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

const check = (...accounts: string[]): Promise<{ account_id: string; problem: string }[]> =>
  ledger.db.query({
    text: `select account_id, problem from check_accounts($1)`,
    values: [accounts],
  })

const checkedOf = async (account: string): Promise<bigint | undefined> => {
  const [row] = await ledger.db.query<{ version: bigint }>({
    text: 'select version from checked where account_id = $1',
    values: [account],
  })
  return row?.version
}

test('an account with many entries is checked up to its last one, with others that have few', async () => {
  const [busy, quiet] = [await ledger.open(), await ledger.open()]
  await ledger.post(...Array.from({ length: ENTRIES }, () => deposit(busy, 1)), deposit(quiet, 1))
  expect(await check(busy, quiet)).toEqual([])
  expect([await checkedOf(busy), await checkedOf(quiet)]).toEqual([BigInt(ENTRIES), 1n])
})

test('what is wrong with a late entry of it is found, and it is right up to the entries before', async () => {
  const account = await ledger.open()
  await ledger.post(...Array.from({ length: ENTRIES }, () => deposit(account, 1)))
  await ledger.owner.query({ text: 'alter table entries disable trigger append_only' })
  await ledger.owner.query({
    text: 'update entries set amount = 2 where account_id = $1 and version = 300',
    values: [account],
  })
  await ledger.owner.query({ text: 'alter table entries enable trigger append_only' })
  expect(await check(account)).toEqual([{ account_id: account, problem: 'balance' }])
  expect(await checkedOf(account)).toBeLessThan(300n)
})

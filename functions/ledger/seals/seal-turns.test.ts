import type { PostingRequest } from '../posting/posting-request.ts'
import { deposit, placing, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import { check, startSealer, type TestSealer } from '../testing/seals-fixture.ts'
import { sealAccounts, sealHolds } from './seal.ts'

/** Every account has its turn, although each round dies after its first step. */

let ledger: TestLedger
let sealer: TestSealer
let accounts: string[]

beforeEach(async () => {
  ledger = await testLedger()
  sealer = await startSealer(ledger)
  accounts = []
  for (let i = 0; i < 6; i++) accounts.push(await ledger.open())
  await ledger.post(...accounts.map((account) => deposit(account, 100_00)))
})
afterEach(async () => {
  await sealer.stop()
  await ledger.close()
})

/** Does so many steps of a round, then dies. */
async function dieAfter(steps: number, round: typeof sealAccounts, sizes: Sizes): Promise<void> {
  const { db } = sealer.tools
  let done = 0
  function transaction<T>(...given: Parameters<typeof db.transaction<T>>): Promise<T> {
    if (done++ === steps) throw new Error('killed')
    return db.transaction(...given)
  }
  await expect(round({ db: { ...db, transaction } }, 60_000, sizes)).rejects.toThrow('killed')
}

type Sizes = { accounts: number; entries: number }

const kinds: [string, typeof sealAccounts, string, (account: string) => PostingRequest][] = [
  ['entries', sealAccounts, 'sealed', (account) => deposit(account, 1)],
  ['entries of holds', sealHolds, 'sealed_holds', (account) => placing(account, 1)],
]

describe.each(kinds)('of %s', (_kind, round, table, change) => {
  /** Resolves with the last version that was sealed of each account; 0 if none was. */
  async function sealedOf(): Promise<number[]> {
    const rows = await ledger.db.query<{ id: string; version: bigint }>({
      text: `select account_id as id, max(version) as version from ${table} group by 1`,
    })
    const versions = new Map(rows.map(({ id, version }) => [id, Number(version)]))
    return accounts.map((id) => versions.get(id) ?? 0)
  }

  test('however many others there are of which nothing is to be sealed', async () => {
    await ledger.post(...accounts.map(change))
    await sealer.seal()
    const before = await sealedOf()
    await ledger.post(change(accounts.at(-1)!), change(accounts[2]!))
    await check(ledger)
    // A step for each account, cash included, and one for the end.
    for (let n = 0; n < accounts.length + 2; n++) await dieAfter(1, round, { accounts: 1, entries: 10 })
    expect(await sealedOf()).toEqual(before.map((version, i) => version + Number(i === 2 || i === 5)))
  })

  test('however many of them another one has', async () => {
    await sealer.seal()
    const before = await sealedOf()
    await ledger.post(...Array.from({ length: 35 }, () => change(accounts[0]!)))
    await ledger.post(change(accounts[1]!))
    await check(ledger)
    const sizes = { accounts: 10, entries: 10 }
    // Of cash, if it has any, and of the first account.
    for (let n = 0; n < 4; n++) await dieAfter(1, round, sizes)
    const [busy, other] = await sealedOf()
    expect(other).toBe(before[1]! + 1)
    expect(busy).toBeLessThan(before[0]! + 35)
    await round(sealer.tools, 60_000, sizes)
    expect(await sealedOf()).toEqual(before.map((version, i) => version + ([35, 1][i] ?? 0)))
  })

  test('although nobody knows any more where the round before ended', async () => {
    await ledger.post(...accounts.map(change))
    await check(ledger)
    await ledger.owner.query({ text: 'delete from seal_rounds' })
    // A step for each account, cash included, and one for the end.
    for (let n = 0; n < accounts.length + 2; n++) await dieAfter(1, round, { accounts: 1, entries: 10 })
    for (const version of await sealedOf()) expect(version).toBeGreaterThan(0)
  })
})

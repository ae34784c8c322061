import { ledgerSealed, type LedgerSealed } from '../eventing/contracts/ledger.sealed.ts'
import seals from '../functions/ledger/seals.ts'
import { deposit, testLedger, type TestLedger } from '../functions/ledger/testing/ledger-fixture.ts'
import { startSealer, tamper, type TestSealer } from '../functions/ledger/testing/seals-fixture.ts'
import witnessSeals from '../functions/notifications/witness-seals.ts'
import { testDatabase, type TestDatabase } from './support/databases.ts'
import { deliverStored } from './support/events.ts'
import { startFunction, type TestFunction } from './support/host.ts'

/** The seals of a real ledger, and another context that keeps them. */

let ledger: TestLedger
let sealer: TestSealer
let reader: TestFunction
let database: TestDatabase
let witness: TestFunction
const accounts: string[] = []

beforeAll(async () => {
  ledger = await testLedger()
  sealer = await startSealer(ledger)
  const BROKER_URL = 'http://127.0.0.1:9/'
  reader = await startFunction(seals, { LEDGER_DATABASE_URL: ledger.database.url, BROKER_URL })
  database = await testDatabase('notifications')
  witness = await startFunction(witnessSeals, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL,
    LOCAL_GATEWAY: `127.0.0.1:${reader.port}`,
  })
  for (let i = 0; i < 5; i++) accounts.push(await ledger.open())
})
afterAll(async () => {
  await Promise.all([sealer.stop(), reader.stop(), witness.stop()])
  await ledger.close()
  await database.drop()
})

/** Delivers the event of a seal as the outbox has it. Returns the status of the answer. */
const deliver = async (n: number): Promise<number> =>
  (await deliverStored(ledger.db, witness, ledgerSealed, String(n))).status

const roots = async (host: TestFunction, path: string): Promise<string[]> => {
  const { body } = await host.request('GET', path)
  return body.items.map(({ size, root }: LedgerSealed & { root: string }) => `${size} ${root}`)
}

/** Makes the ledger as if the last deposit to an account had been of another amount: books, hashes, balances
 * and all seals. Its chains hold. */
async function rewriteEverything(account: string): Promise<void> {
  await tamper(
    ledger,
    'entries',
    `update entries e set amount = e.amount + 1000, balance_after = e.balance_after + 1000, hash = entry_hash(
        coalesce(b.hash, decode(repeat('00', 32), 'hex')), e.account_id, e.version, e.transaction_id,
        e.amount + 1000, e.balance_after + 1000, e.created_at, e.value_date)
      from entries own
      left join entries b on b.account_id = own.account_id and b.version = own.version - 1
      where own.account_id = $1 and own.version = (select version from accounts where id = $1)
        and e.account_id = own.account_id and e.version = own.version`,
    [account],
  )
  await tamper(
    ledger,
    'accounts',
    `update accounts a set balance = e.balance_after, last_hash = e.hash
      from entries e where a.id = $1 and e.account_id = a.id and e.version = a.version`,
    [account],
  )
  for (const table of ['seals', 'sealed', 'seal_nodes']) await tamper(ledger, table, `delete from ${table}`)
}

test('another context keeps the same seals, and refuses those of a ledger that was rewritten with all its seals', async () => {
  for (let n = 1; n <= 3; n++) {
    for (const account of accounts) await ledger.post(deposit(account, 100 * n))
    await sealer.seal()
  }
  // The third comes before the second: the proof that fits is fetched.
  expect([await deliver(1), await deliver(3), await deliver(2), await deliver(2)]).toEqual([
    204, 204, 204, 204,
  ])
  const kept = await roots(witness, '/seals/witnessed')
  expect(kept).toEqual(await roots(reader, '/seals'))
  expect(kept).toHaveLength(3)

  await rewriteEverything(accounts[2]!)
  await sealer.seal()
  const [rewritten] = await roots(reader, '/seals')
  expect(kept).not.toContain(rewritten)
  expect(await deliver(1)).toBe(500)
  for (let n = 2; n <= 4; n++) {
    for (const account of accounts) await ledger.post(deposit(account, 100))
    await sealer.seal()
    expect(await deliver(n)).toBe(500)
  }
  expect(await roots(witness, '/seals/witnessed')).toEqual(kept)
})

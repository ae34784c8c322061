import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ledgerSealed, type LedgerSealed } from '../eventing/contracts/ledger.sealed.ts'
import seals from '../functions/ledger/seals.ts'
import { proofOfHolds, type HoldProof } from '../functions/ledger/seals/hold-proof.ts'
import { proofOfAccount, type AccountProof } from '../functions/ledger/seals/proof.ts'
import {
  deposit,
  ending,
  placing,
  testLedger,
  type TestLedger,
} from '../functions/ledger/testing/ledger-fixture.ts'
import {
  runVerifier,
  startSealer,
  tamper,
  type TestSealer,
} from '../functions/ledger/testing/seals-fixture.ts'
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
let accounts: string[]

beforeEach(async () => {
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
  accounts = []
  for (let i = 0; i < 5; i++) accounts.push(await ledger.open())
})
afterEach(async () => {
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

/** Makes the ledger as if the last deposit to an account had been of another amount: books, hashes and
 * balances. Its chains hold. */
async function rewriteDeposit(account: string): Promise<void> {
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
}

/** Makes the ledger as if the last hold of an account that was released had expired. Its chains hold. */
async function rewriteHold(account: string): Promise<void> {
  await tamper(
    ledger,
    'hold_entries',
    `update hold_entries e set hash = hold_hash(
        b.hash, e.account_id, e.version, e.hold_id, e.amount, e.held_after, e.created_at, 'expired')
      from hold_entries b
      where e.account_id = $1 and e.version = (select max(version) from hold_entries where account_id = $1)
        and b.account_id = e.account_id and b.version = e.version - 1`,
    [account],
  )
  await tamper(
    ledger,
    'holds',
    `update holds set status = 'expired'
      where id = (select hold_id from hold_entries where account_id = $1 order by version desc limit 1)`,
    [account],
  )
}

/** Makes all leaves and nodes anew from the books as they are now, and forgets what was signed. */
async function rewriteSeals(): Promise<void> {
  for (const [leaves, books] of [
    ['sealed', 'entries'],
    ['sealed_holds', 'hold_entries'],
  ] as const)
    await tamper(
      ledger,
      leaves,
      `update ${leaves} s set hash = e.hash from ${books} e where e.account_id = s.account_id and e.version = s.version`,
    )
  for (const table of ['seals', 'seal_nodes']) await tamper(ledger, table, `delete from ${table}`)
  await ledger.owner.query({
    text: `insert into seal_nodes
      select 0, leaf, leaf_hash(account_id, version, hash) from sealed
      union all
      select 0, leaf, hold_leaf_hash(account_id, version, hash) from sealed_holds`,
  })
  await ledger.owner.query({ text: 'select grow_tree(0, tree_size())' })
}

/** Returns the proofs of all that is sealed of an account. */
async function proofsOf(account: string): Promise<(AccountProof | HoldProof)[]> {
  const proven = [
    await proofOfAccount(ledger.db, account, { from: 0 }),
    await proofOfHolds(ledger.db, account, { from: 0 }),
  ]
  return proven.flatMap((one) => ('proof' in one ? [one.proof] : []))
}

/** Pays into all accounts, and places and releases a hold on each. */
async function useAccounts(amount: number): Promise<void> {
  for (const account of accounts) {
    const hold = placing(account, 5)
    await ledger.post(deposit(account, amount))
    await ledger.post(hold)
    await ledger.post(ending('release', hold))
  }
}

/** Checks that a verifier sees that proofs of two histories are not of one, though each of them holds. */
async function contradict(
  before: readonly (AccountProof | HoldProof)[],
  after: readonly (AccountProof | HoldProof)[],
  nth: number,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'proofs-'))
  expect(await runVerifier(folder, after)).toEqual(['holds', 'holds'])
  // An id has the same bytes without hyphens.
  const bare = after.map((proof) => ({ ...proof, account: proof.account.replaceAll('-', '') }))
  for (const second of [after, bare]) {
    const verdicts = await runVerifier(folder, [...before, ...second])
    expect(verdicts.map((verdict) => verdict === 'holds')).toEqual([true, true, nth !== 0, nth !== 1])
    expect(verdicts[2 + nth]).toMatch(/^a proof before has another entry \d+ of the account$/)
  }
  rmSync(folder, { recursive: true })
}

test.each([
  ['deposit', rewriteDeposit, 0],
  ['hold', rewriteHold, 1],
])(
  'another context keeps the same seals, and refuses those of a ledger in which a %s was rewritten with all seals',
  async (_what, rewrite, nth) => {
    for (let n = 1; n <= 3; n++) {
      await useAccounts(100 * n)
      await sealer.seal()
    }
    // The third comes before the second: the proof that fits is fetched.
    expect([await deliver(1), await deliver(3), await deliver(2), await deliver(2)]).toEqual([
      204, 204, 204, 204,
    ])
    const kept = await roots(witness, '/seals/witnessed')
    expect(kept).toEqual(await roots(reader, '/seals'))
    expect(kept).toHaveLength(3)

    const proofs = await proofsOf(accounts[2]!)
    await rewrite(accounts[2]!)
    await rewriteSeals()
    await sealer.seal()
    await contradict(proofs, await proofsOf(accounts[2]!), nth)
    const [rewritten] = await roots(reader, '/seals')
    expect(kept).not.toContain(rewritten)
    expect(await deliver(1)).toBe(500)
    for (let n = 2; n <= 4; n++) {
      await useAccounts(100)
      await sealer.seal()
      expect(await deliver(n)).toBe(500)
    }
    expect(await roots(witness, '/seals/witnessed')).toEqual(kept)
  },
)

import { deposit, ending, placing, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import { fillHolds } from '../testing/many-holds-fixture.ts'
import { explainingDatabase } from '../testing/plans-fixture.ts'
import { startSealer, tamper, type TestSealer } from '../testing/seals-fixture.ts'
import { takeStep } from './sweep-checks.ts'

/** The night's check of what was sealed. */

let ledger: TestLedger
let sealer: TestSealer
let ada: string

beforeEach(async () => {
  ledger = await testLedger()
  sealer = await startSealer(ledger)
  const ben = await ledger.open()
  ada = await ledger.open()
  const hold = placing(ada, 30)
  await ledger.post(deposit(ada, 100), deposit(ben, 200))
  await ledger.post(hold, placing(ben, 50))
  await sealer.seal()
  await ledger.post(ending('capture', hold, 20, { to_account_id: ben }), deposit(ada, 5))
  await sealer.seal()
})
afterEach(async () => {
  await sealer.stop()
  await ledger.close()
})

/** Runs the check to its end. Resolves with what it found. */
async function found(): Promise<{ ok: boolean; figures: { leaves: number; faults: number } }> {
  for (let hasEnded: boolean | null = false; hasEnded === false;)
    hasEnded = (await takeStep(ledger.db, 'seals')).has_ended
  const [row] = await ledger.db.query<{ ok: boolean; figures: { leaves: number; faults: number } }>({
    text: `select ok, figures from ledger_checks where name = 'seals'`,
  })
  return row!
}

const size = async (): Promise<number> => {
  const [row] = await ledger.db.query<{ size: bigint }>({ text: 'select max(size) as size from seals' })
  return Number(row!.size)
}

test('all is right, before the first seal and after others', async () => {
  expect(await found()).toEqual({ ok: true, figures: { leaves: await size(), faults: 0 } })
  await ledger.post(placing(ada, 1))
  await sealer.seal()
  expect(await found()).toEqual({ ok: true, figures: { leaves: await size(), faults: 0 } })
  const empty = await testLedger()
  try {
    expect(await takeStep(empty.db, 'seals')).toMatchObject({ has_ended: true })
  } finally {
    await empty.close()
  }
})

/** Changes of a ledger's owner: each a table with a statement, of which $1 is an account. */
const REWRITING = {
  'the last entry, with all hashes after it': [
    [
      'entries',
      `update entries e set value_date = '2026-01-05', hash = entry_hash(b.hash, e.account_id, e.version,
        e.transaction_id, e.amount, e.balance_after, e.created_at, '2026-01-05')
      from accounts a, entries b
      where a.id = $1 and e.account_id = a.id and e.version = a.version and b.account_id = a.id
        and b.version = a.version - 1`,
    ],
    [
      'accounts',
      `update accounts a set last_hash = e.hash from entries e
        where a.id = $1 and e.account_id = a.id and e.version = a.version`,
    ],
    [
      'transactions',
      `update transactions t set value_date = '2026-01-05' from entries e
        where e.account_id = $1 and e.value_date is not null and t.id = e.transaction_id`,
    ],
  ],
  'a captured hold as released, with all hashes after it': [
    [
      'holds',
      `update holds set status = 'released', captured = null, transaction_id = null
        where account_id = $1 and status = 'captured'`,
    ],
    [
      'hold_entries',
      `update hold_entries e set hash = hold_hash(
          b.hash, e.account_id, e.version, e.hold_id, e.amount, e.held_after, e.created_at, 'released')
        from hold_entries b
        where e.account_id = $1 and e.version = 2 and b.account_id = e.account_id and b.version = 1`,
    ],
  ],
  'a leaf of holds': [['sealed_holds', 'delete from sealed_holds where account_id = $1 and version = 2']],
  'a leaf of entries': [
    ['sealed', 'update sealed set version = version + 1 where account_id = $1 and version = 1'],
  ],
  'a leaf that nobody could ever come to': [
    [
      'sealed',
      `insert into sealed select 1000000000000, account_id, version + 100, hash from sealed
        where account_id = $1 limit 1`,
    ],
  ],
  'a leaf of holds as one of entries': [
    [
      'sealed',
      'insert into sealed select leaf, account_id, version + 100, hash from sealed_holds where account_id = $1',
    ],
    ['sealed_holds', 'delete from sealed_holds where account_id = $1'],
  ],
  'a node': [
    [
      'seal_nodes',
      `update seal_nodes set hash = sha256($1::uuid::text::bytea) where level = 1 and index = 0`,
    ],
  ],
  'the nodes of the last leaves': [
    ['seal_nodes', 'delete from seal_nodes where index >= 5 and $1::uuid is not null'],
  ],
  'a root': [['seals', `update seals set root = sha256($1::uuid::text::bytea) where n = 1`]],
} as const

test.each(Object.keys(REWRITING) as (keyof typeof REWRITING)[])(
  'if somebody has changed %s, it is told, and stops nothing',
  async (what) => {
    for (const [table, text] of REWRITING[what]) await tamper(ledger, table, text, [ada])
    const { ok, figures } = await found()
    expect([ok, figures.faults > 0]).toEqual([false, true])
    const stops = await ledger.db.query({ text: 'select from ledger_stops' })
    expect(stops).toEqual([])
  },
)

test('nothing but the seals finds books that were rewritten with all their hashes', async () => {
  for (const what of [
    'the last entry, with all hashes after it',
    'a captured hold as released, with all hashes after it',
  ] as const)
    for (const [table, text] of REWRITING[what]) await tamper(ledger, table, text, [ada])
  expect(await ledger.faults()).toEqual([
    { proof: 'seals', fault: { account_id: ada, version: 3, problem: 'entry' } },
    { proof: 'seals', fault: { account_id: ada, version: 2, problem: 'hold entry' } },
  ])
})

test('a step reads a bounded number of rows, and the next one goes on', async () => {
  await fillHolds(ledger, await ledger.open(), 5_600)
  // As many leaves as if each entry had been sealed by itself.
  await ledger.owner.query({
    text: `with new_leaves as (
        insert into sealed_holds select tree_size() + row_number() over () - 1, e.account_id, e.version, e.hash
        from hold_entries e
        where not exists (select from sealed_holds s where s.account_id = e.account_id and s.version = e.version)
        returning *
      )
      insert into seal_nodes select 0, leaf, hold_leaf_hash(account_id, version, hash) from new_leaves`,
  })
  const [grown] = await ledger.db.query<{ size: bigint }>({ text: 'select tree_size() as size' })
  expect(Number(grown!.size)).toBeGreaterThan(11_000)
  await ledger.owner.query({
    text: 'select grow_tree($1, $2)',
    values: [await size(), grown!.size],
  })
  await ledger.owner.query({ text: 'vacuum analyze' })
  const db = await explainingDatabase(ledger.database, 'ledger')
  try {
    let steps = 1
    for (; (await takeStep(db, 'seals')).has_ended === false; steps++) {
      const nodes = db.plans().flatMap((plan) => plan.nodes.filter(({ relation }) => relation !== undefined))
      expect(nodes.filter(({ type }) => type === 'Seq Scan').map(({ relation }) => relation)).toEqual([])
      expect(Math.max(...nodes.map(({ rows }) => rows))).toBeLessThanOrEqual(10_010)
    }
    expect(steps).toBe(3)
  } finally {
    await db.close()
  }
  expect(await found()).toMatchObject({ ok: true, figures: { leaves: Number(grown!.size) } })
})

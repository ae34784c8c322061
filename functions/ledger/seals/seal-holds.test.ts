import { deposit, ending, placing, testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import { fillHolds } from '../testing/many-holds-fixture.ts'
import { explainingDatabase } from '../testing/plans-fixture.ts'
import { lastCheckpoint, startSealer, tamper, type TestSealer } from '../testing/seals-fixture.ts'
import { seal, sealAccounts, sealHolds } from './seal.ts'

/** The leaves of holds: who gets one, and when. */

let ledger: TestLedger
let sealer: TestSealer
let to: string

beforeEach(async () => {
  ledger = await testLedger()
  sealer = await startSealer(ledger)
  to = await ledger.open()
})
afterEach(async () => {
  await sealer.stop()
  await ledger.close()
})

type LeafRow = { leaf: bigint; account_id: string; version: bigint }
const leavesOf = (table: 'sealed' | 'sealed_holds') =>
  ledger.db.query<LeafRow>({ text: `select leaf, account_id, version from ${table} order by leaf` })
const holdLeaves = async () =>
  (await leavesOf('sealed_holds')).map(({ account_id: id, version }) => [id, Number(version)])

/** Opens accounts with a hundred dollars each. */
async function open(count: number): Promise<string[]> {
  const accounts: string[] = []
  for (let i = 0; i < count; i++) accounts.push(await ledger.open())
  await ledger.post(...accounts.map((account) => deposit(account, 100_00)))
  return accounts
}

test('a seal has a leaf of holds for each account whose holds have changed, beside those of entries', async () => {
  const [ada, ben, carl] = (await open(3)) as [string, string, string]
  const held = placing(ada, 10)
  await ledger.post(held, placing(ada, 20), placing(ben, 30))
  await sealer.seal()
  expect(await holdLeaves()).toEqual([
    [ada, 2],
    [ben, 1],
  ])
  await ledger.post(ending('capture', held, 5, { to_account_id: to }), placing(carl, 1))
  await sealer.seal()
  expect((await holdLeaves()).slice(2)).toEqual([
    [ada, 3],
    [carl, 1],
  ])
  // Without new entries there are no new leaves.
  await sealer.seal()
  const places = [...(await leavesOf('sealed')), ...(await leavesOf('sealed_holds'))].map(({ leaf }) => leaf)
  expect(places.sort((a, b) => Number(a - b))).toEqual(places.map((_, i) => BigInt(i)))
  expect((await lastCheckpoint(ledger)).size).toBe(BigInt(places.length))
  expect(await ledger.faults()).toEqual([])
})

test('a hold makes a seal although no money has moved', async () => {
  const [ada] = (await open(1)) as [string]
  await sealer.seal()
  const before = await lastCheckpoint(ledger)
  await ledger.post(placing(ada, 10))
  await sealer.seal()
  expect((await lastCheckpoint(ledger)).size).toBe(before.size + 1n)
})

test('many accounts and long histories of holds are sealed in steps, with a leaf for each thousandth entry', async () => {
  const accounts = await open(7)
  await fillHolds(ledger, accounts[3]!, 1_300)
  await ledger.post(...accounts.filter((_, i) => i !== 3).map((account) => placing(account, 1)))
  const sizes = { accounts: 2, entries: 700 }
  expect(await sealHolds(sealer.tools, 60_000, sizes)).toMatchObject({ broken: [], isComplete: true })
  const versions = async (id: string) =>
    (await holdLeaves()).flatMap(([of, version]) => (of === id ? [version] : []))
  // A step ends in it: the first one has sealed two others before.
  expect((await versions(accounts[3]!)).at(-1)).toBe(2_600)
  for (const id of accounts.filter((_, i) => i !== 3)) expect(await versions(id)).toEqual([1])
  const since = (await versions(accounts[3]!)).length
  await fillMore(accounts[3]!, 1_100)
  await sealHolds(sealer.tools, 60_000)
  expect((await versions(accounts[3]!)).slice(since)).toEqual([3_600, 4_600, 4_800])
  expect(await ledger.faults()).toEqual([])
})

/** Places holds on an account, and releases them. */
async function fillMore(account: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 550) {
    const holds = Array.from({ length: Math.min(550, count - n) }, () => placing(account, 1))
    await ledger.post(...holds)
    await ledger.post(...holds.map((hold) => ending('release', hold)))
  }
}

test('if the time is over, the next round goes on where this one ended', async () => {
  const accounts = await open(4)
  await ledger.post(...accounts.map((account) => placing(account, 1)))
  expect(await sealHolds(sealer.tools, 0)).toEqual({ leaves: 0, broken: [], isComplete: false })
  let calls = 0
  const twice = { db: { ...sealer.tools.db, transaction: countdown } }
  function countdown<T>(...args: Parameters<typeof sealer.tools.db.transaction<T>>): Promise<T> {
    if (++calls > 2) throw new Error('killed')
    return sealer.tools.db.transaction(...args)
  }
  await expect(sealHolds(twice, 60_000, { accounts: 1, entries: 10 })).rejects.toThrow('killed')
  expect(await holdLeaves()).toHaveLength(2)
  await ledger.post(placing(accounts[0]!, 1))
  await sealHolds(sealer.tools, 60_000, { accounts: 1, entries: 10 })
  expect(await holdLeaves()).toEqual([...accounts.map((id) => [id, 1]), [accounts[0], 2]])
})

test('several processes that seal at once append each leaf once', async () => {
  const accounts = await open(40)
  await ledger.post(...accounts.map((account) => placing(account, 1)))
  const others = await Promise.all([startSealer(ledger), startSealer(ledger)])
  const statuses = await Promise.all([sealer, ...others].map((one) => one.ping()))
  expect(statuses).toContain(204)
  await sealer.seal()
  await Promise.all(others.map((one) => one.stop()))
  const found = await holdLeaves()
  expect(found.map(([id]) => id).sort()).toEqual([...accounts].sort())
  expect(await ledger.faults()).toEqual([])
})

const END = '9223372036854775807'

test.each([
  ['the amount of an entry', 'hold_entries', 'set amount = amount + 1 where account_id = $1 and version = 3'],
  [
    'the sum of an entry',
    'hold_entries',
    'set held_after = held_after + 1 where account_id = $1 and version = 3',
  ],
  [
    'the time of an entry',
    'hold_entries',
    `set created_at = created_at + interval '1 day' where account_id = $1 and version = 3`,
  ],
  ['the hold of an entry', 'hold_entries', 'set hold_id = uuidv7() where account_id = $1 and version = 3'],
  ['the hash of an entry', 'hold_entries', `set hash = sha256('x') where account_id = $1 and version = 3`],
  ['the number of an entry', 'hold_entries', 'set version = 9 where account_id = $1 and version = 5'],
  [
    'an amount to the end of what a number can be',
    'hold_entries',
    `set amount = ${END}, held_after = ${END} where account_id = $1 and version = 3`,
  ],
  ['an entry that was sealed', 'hold_entries', 'set held_after = 1 where account_id = $1 and version = 2'],
  ['what the account holds', 'accounts', 'set held = held + 1 where id = $1'],
  ['the amount of a hold', 'holds', `set amount = amount + 1 where account_id = $1 and status = 'open'`],
  ['how a hold ended', 'holds', `set status = 'expired' where account_id = $1 and status = 'released'`],
  [
    'how much was captured',
    'holds',
    `set captured = captured + 1 where account_id = $1 and status = 'captured'`,
  ],
  [
    'when a hold ended',
    'holds',
    `set ended_at = ended_at + interval '1 ms' where account_id = $1 and status = 'released'`,
  ],
  [
    'what captured a hold',
    'transactions',
    'set hold_id = uuidv7() where account_id = $1 and hold_id is not null',
  ],
] as const)(
  'if %s was changed, the holds of the account are not sealed; those of others are',
  async (_what, table, change) => {
    const [ada, ben] = (await open(2)) as [string, string]
    const [captured, released] = [placing(ada, 10), placing(ada, 20)]
    await ledger.post(captured, released)
    await sealer.seal()
    await ledger.post(placing(ada, 30), placing(ben, 40))
    await ledger.post(ending('capture', captured, 5, { to_account_id: to }), ending('release', released))
    await tamper(ledger, table, `update ${table} ${change}`, [ada])
    expect(await sealHolds(sealer.tools, 60_000)).toMatchObject({ broken: [ada], isComplete: true })
    expect(await holdLeaves()).toEqual([
      [ada, 2],
      [ben, 1],
    ])
    // The log tells; the seal is made all the same.
    expect(await sealer.ping()).toBe(204)
  },
)

test('entries of a hold that was deleted are not sealed, although those of others are right', async () => {
  const [ada] = (await open(1)) as [string]
  const hold = placing(ada, 10)
  await ledger.post(hold, placing(ada, 20))
  await ledger.post(ending('release', hold))
  await tamper(ledger, 'holds', 'delete from holds where id = $1', [hold.id])
  expect(await sealHolds(sealer.tools, 60_000)).toMatchObject({ leaves: 0, broken: [ada] })
})

test('an account whose last entry has the greatest number there is keeps no other from its turn', async () => {
  const [ada, ben, carl] = (await open(3)) as [string, string, string]
  await ledger.post(placing(ada, 10), placing(ben, 10), placing(carl, 10))
  await tamper(ledger, 'hold_entries', `update hold_entries set version = ${END} where account_id = $1`, [
    ada,
  ])
  expect(await sealHolds(sealer.tools, 60_000)).toMatchObject({ broken: [ada], isComplete: true })
  expect(await holdLeaves()).toEqual([
    [ben, 1],
    [carl, 1],
  ])
})

test('entries of an account that does not exist keep no other from its turn', async () => {
  const [ada, ben, carl] = (await open(3)) as [string, string, string]
  await ledger.post(placing(ada, 10), placing(ben, 10), placing(carl, 10))
  const nobody = '00000000-0000-7000-8000-000000000001'
  await tamper(
    ledger,
    'hold_entries',
    `update hold_entries set account_id = '${nobody}' where account_id = $1`,
    [ada],
  )
  const round = await sealHolds(sealer.tools, 60_000, { accounts: 2, entries: 10 })
  expect(round).toMatchObject({ broken: [nobody], isComplete: true })
  expect(await holdLeaves()).toEqual([
    [ben, 1],
    [carl, 1],
  ])
})

test('nobody can have leaves appended that are of no kind', async () => {
  const [ada] = (await open(1)) as [string]
  await ledger.post(placing(ada, 10))
  const ends = `'00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'`
  await ledger.db.query({ text: `select seal_accounts(null, ${ends}, 10, 10)` })
  expect(await ledger.faults()).toEqual([])
  await sealer.seal()
  expect(await holdLeaves()).toEqual([[ada, 1]])
})

test.each(['USD', null])(
  'while %s is stopped no hold of it is sealed, until it is resumed',
  async (currency) => {
    const [ada] = (await open(1)) as [string]
    const inEuro = await ledger.open({ currency: 'EUR' })
    await ledger.post(deposit(inEuro, 100, { currency: 'EUR' }))
    await ledger.post(placing(ada, 1), placing(inEuro, 1, { currency: 'EUR' }))
    await ledger.owner.query({ text: `select stop_ledger($1, 'a test', null)`, values: [currency] })
    // However many are passed over, the round comes to its end.
    expect(await sealHolds(sealer.tools, 60_000, { accounts: 1, entries: 1 })).toEqual({
      leaves: currency ? 1 : 0,
      broken: [],
      isComplete: true,
    })
    expect(await holdLeaves()).toEqual(currency ? [[inEuro, 1]] : [])
    await ledger.owner.query({
      text: `update ledger_stops set lifted_at = now(), lifted_by = uuidv7(), lift_reason = 'right'`,
    })
    await sealHolds(sealer.tools, 60_000)
    expect((await holdLeaves()).map(([id]) => id).sort()).toEqual([ada, inEuro].sort())
  },
)

test('a step reads no more than it is asked for, however many accounts, holds and leaves there are', async () => {
  const accounts = await open(60)
  for (const account of accounts) await fillHolds(ledger, account, 60)
  await sealAccounts(sealer.tools, 60_000)
  await seal(sealer.tools, '')
  const db = await explainingDatabase(ledger.database, 'ledger')
  try {
    for (const [size, steps] of [
      [{ accounts: 10, entries: 600 }, 12],
      // Nothing is left to seal: the accounts are only passed.
      [{ accounts: 10, entries: 600 }, 6],
    ] as const) {
      db.plans()
      expect(await sealHolds({ db } as never, 60_000, size)).toMatchObject({ broken: [], isComplete: true })
      const plans = db
        .plans()
        .filter(({ nodes }) => nodes.some(({ relation }) => relation === 'hold_entries'))
      expect(plans.length).toBeGreaterThanOrEqual(steps)
      for (const { nodes } of plans) {
        const read = nodes.filter(({ relation }) => relation !== undefined)
        expect(read.filter(({ type }) => type === 'Seq Scan').map(({ relation }) => relation)).toEqual([])
        expect(Math.max(...read.map(({ rows }) => rows))).toBeLessThanOrEqual(size.entries + 10)
      }
    }
  } finally {
    await db.close()
  }
})

test('what was sealed of holds and is no longer so in the books is found by the proofs', async () => {
  // Three leaves of entries, and one of holds: a whole tree.
  const [ada] = (await open(2)) as [string]
  await ledger.post(placing(ada, 10))
  await sealer.seal()
  const proofs = async () =>
    ((await ledger.faults()) as { proof: string; fault: { problem: string } }[]).map(
      ({ proof, fault }) => `${proof}: ${fault.problem}`,
    )
  expect(await proofs()).toEqual([])
  // All hashes are made anew: the chain holds again.
  await tamper(
    ledger,
    'hold_entries',
    `update hold_entries set created_at = created_at - interval '1 ms', hash = hold_hash(
      first_hold_hash(), account_id, version, hold_id, amount, held_after, created_at - interval '1 ms', 'open')
      where account_id = $1`,
    [ada],
  )
  expect(await proofs()).toEqual(['seals: hold entry'])
  await tamper(
    ledger,
    'sealed_holds',
    'update sealed_holds s set hash = e.hash from hold_entries e where e.account_id = s.account_id',
  )
  expect(await proofs()).toEqual(['seals: leaf'])
  await tamper(
    ledger,
    'seal_nodes',
    `update seal_nodes n set hash = hold_leaf_hash(s.account_id, s.version, s.hash)
      from sealed_holds s where n.level = 0 and n.index = s.leaf`,
  )
  expect(new Set(await proofs())).toEqual(new Set(['seals: node']))
})

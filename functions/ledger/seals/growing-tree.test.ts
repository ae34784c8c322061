import fc from 'fast-check'
import { openCheckpoint, type Checkpoint } from '../../host/transparency/checkpoint.ts'
import { isConsistent } from '../../host/transparency/consistency.ts'
import { sealKey } from '../../../tests/support/host.ts'
import {
  deposit,
  ending,
  placing,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import type { PostingRequest } from '../posting/posting-request.ts'
import {
  check,
  expireHold,
  loadVerifier,
  startSealer,
  tamper,
  type TestSealer,
  type VerifyProof,
} from '../testing/seals-fixture.ts'
import { proofOfHolds, type HoldProof } from './hold-proof.ts'
import { proofOfAccount, type AccountProof } from './proof.ts'
import { seal, sealAccounts, sealHolds } from './seal.ts'

let ledger: TestLedger
let sealer: TestSealer
let verifyProof: VerifyProof

beforeEach(async () => {
  verifyProof = await loadVerifier()
  ledger = await testLedger()
  sealer = await startSealer(ledger)
})
afterEach(async () => {
  await sealer.stop()
  await ledger.close()
})

const ACCOUNTS = 5

type Step =
  | { kind: 'deposit' | 'withdrawal'; from: number; amount: number }
  | { kind: 'transfer'; from: number; to: number; amount: number }
  | { kind: 'place'; from: number; amount: number }
  // Of one of the holds that were placed before.
  | { kind: 'capture'; nth: number; to: number; amount: number }
  | { kind: 'release'; nth: number }
  | { kind: 'expire'; nth: number }
  | { kind: 'seal'; accounts: number; entries: number; dies: boolean }

const posting = { from: fc.nat(ACCOUNTS - 1), amount: fc.integer({ min: 1, max: 90 }) }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('deposit', 'withdrawal'), ...posting }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('transfer'), to: fc.nat(ACCOUNTS - 1), ...posting }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('place'), ...posting }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('capture'),
      nth: fc.nat(20),
      to: fc.nat(ACCOUNTS - 1),
      amount: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('release', 'expire'), nth: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('seal'),
      accounts: fc.integer({ min: 1, max: 4 }),
      entries: fc.integer({ min: 1, max: 9 }),
      // Dies between the leaves and the seal.
      dies: fc.boolean(),
    }),
  },
) as fc.Arbitrary<Step>

/** Seals what there is, in steps of this size. */
async function sealAll(sizes: { accounts: number; entries: number }, dies = false): Promise<void> {
  await check(ledger)
  for (const round of [sealAccounts, sealHolds]) {
    const { broken, isComplete } = await round(sealer.tools, 60_000, sizes)
    expect([broken, isComplete]).toEqual([[], true])
  }
  if (!dies) await seal(sealer.tools, '')
}

/** Does a step; a refusal is good, too. Holds that were placed are added to `holds`. */
async function take(one: Step, accounts: readonly string[], holds: PostingRequest[]): Promise<void> {
  switch (one.kind) {
    case 'seal':
      return sealAll(one, one.dies)
    case 'transfer':
      await ledger.post(transfer(accounts[one.from]!, accounts[one.to]!, one.amount))
      return
    case 'deposit':
    case 'withdrawal':
      await ledger.post((one.kind === 'deposit' ? deposit : withdrawal)(accounts[one.from]!, one.amount))
      return
    case 'place': {
      const hold = placing(accounts[one.from]!, one.amount)
      const [placed] = await ledger.post(hold)
      if (placed!.outcome === 'posted') holds.push(hold)
      return
    }
    default: {
      const hold = holds[one.nth % holds.length]
      if (!hold) return
      if (one.kind === 'expire') return expireHold(ledger, hold)
      await ledger.post(
        one.kind === 'capture'
          ? ending('capture', hold, one.amount, { to_account_id: accounts[one.to]! })
          : ending('release', hold),
      )
    }
  }
}

async function run(steps: readonly Step[], accounts: readonly string[]): Promise<void> {
  const holds: PostingRequest[] = []
  for (const one of steps) await take(one, accounts, holds)
}

type SealRow = { n: bigint; note: string }
const seals = () => ledger.db.query<SealRow>({ text: 'select n, note from seals order by n' })

async function proofAt(
  account: string,
  from: number,
  to: number,
  at: number,
): Promise<AccountProof | number> {
  const proven = await proofOfAccount(ledger.db, account, { from, to, seal: at })
  return 'proof' in proven ? proven.proof : proven.refusal.status
}

async function holdProofAt(
  account: string,
  from: number,
  to: number,
  at: number,
): Promise<HoldProof | number> {
  const proven = await proofOfHolds(ledger.db, account, { from, to, seal: at })
  return 'proof' in proven ? proven.proof : proven.refusal.status
}

const kinds = [
  ['sealed', proofAt],
  ['sealed_holds', holdProofAt],
] as const

test('whatever is posted and sealed, each proof holds at each later seal, and all seals are one growing tree', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const accounts: string[] = []
      for (let i = 0; i < ACCOUNTS; i++) accounts.push(await ledger.open({ overdraftLimit: 100n }))
      await run([...steps, { kind: 'seal', accounts: 3, entries: 7, dies: false }], accounts)

      const all = await seals()
      const opened = all.map(({ note }): Checkpoint => openCheckpoint(note, [sealKey.verifier]))
      for (const [i, older] of opened.entries())
        for (const newer of opened.slice(i)) {
          const [row] = await ledger.db.query<{ proof: Buffer[] }>({
            text: 'select consistency_path($1, $2) as proof',
            values: [older.size, newer.size],
          })
          expect(isConsistent(older, newer, row!.proof)).toBe(true)
        }

      for (const account of accounts)
        for (const [table, proofOf] of kinds) {
          const leaves = await ledger.db.query<{ leaf: bigint; version: bigint }>({
            text: `select leaf, version from ${table} where account_id = $1 order by version`,
            values: [account],
          })
          for (const { leaf, version } of leaves)
            for (const [i, { n }] of all.entries()) {
              const proof = await proofOf(account, 0, Number(version), Number(n))
              if (leaf >= opened[i]!.size) expect(proof).toBe(409)
              else
                expect(verifyProof(proof as AccountProof | HoldProof, sealKey.verifier)).toContain(
                  ` at version ${version},`,
                )
            }
        }
      // Everything was sealed, of whatever kind.
      const unsealed = await ledger.db.query({
        text: `select account_id, max(version) as version from hold_entries where account_id = any ($1) group by 1
          except
          select account_id, max(version) from sealed_holds group by 1`,
        values: [accounts],
      })
      expect(unsealed).toEqual([])
    }),
    { numRuns: 12 },
  )
  expect(await ledger.faults()).toEqual([])
})

test('holds are placed, captured, released and expire while seals are made, and each entry is sealed as it is', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        step.filter(({ kind }) => kind !== 'seal'),
        { minLength: 15, maxLength: 40 },
      ),
      async (steps) => {
        const accounts: string[] = []
        for (let i = 0; i < ACCOUNTS; i++) accounts.push(await ledger.open({ overdraftLimit: 100n }))
        let isDone = false
        const sealing = (async () => {
          while (!isDone) await sealAll({ accounts: 2, entries: 3 })
        })()
        try {
          const holds: PostingRequest[] = []
          for (const one of steps) await take(one, accounts, holds)
        } finally {
          isDone = true
          await sealing
        }
        await sealAll({ accounts: 3, entries: 7 })
        for (const account of accounts) {
          const proven = await proofOfHolds(ledger.db, account, { from: 0 })
          if ('proof' in proven) verifyProof(proven.proof, sealKey.verifier)
          else expect(await heldBy(account)).toBe(0)
        }
      },
    ),
    { numRuns: 5 },
  )
  expect(await ledger.faults()).toEqual([])
})

/** How many entries of holds an account has. */
async function heldBy(account: string): Promise<number> {
  const text = 'select count(*) as count from hold_entries where account_id = $1'
  const [row] = await ledger.db.query<{ count: bigint }>({ text, values: [account] })
  return Number(row!.count)
}

/** What the owner of the database could do to an account's history, with the triggers off. */
const tampering = {
  'one amount': 'update entries set amount = amount + 1 where account_id = $1 and version = $2',
  'one transaction': 'update entries set transaction_id = uuidv7() where account_id = $1 and version = $2',
  'one time': `update entries set created_at = created_at + interval '1 microsecond' where account_id = $1 and version = $2`,
  'one value date': `update entries set value_date = '2026-01-05' where account_id = $1 and version = $2`,
  'one balance':
    'update entries set balance_after = balance_after + 1 where account_id = $1 and version = $2',
  'one entry and all hashes after it, so that the chain holds again': `
    with recursive again as (
      select e.account_id, e.version, e.amount + 1 as amount, e.balance_after + 1 as balance_after, entry_hash(
        coalesce(b.hash, decode(repeat('00', 32), 'hex')), e.account_id, e.version, e.transaction_id, e.amount + 1,
        e.balance_after + 1, e.created_at) as hash
      from entries e left join entries b on b.account_id = e.account_id and b.version = e.version - 1
      where e.account_id = $1 and e.version = $2
      union all
      select e.account_id, e.version, e.amount, e.balance_after + 1, entry_hash(
        a.hash, e.account_id, e.version, e.transaction_id, e.amount, e.balance_after + 1, e.created_at)
      from again a join entries e on e.account_id = a.account_id and e.version = a.version + 1
    )
    update entries e set amount = a.amount, balance_after = a.balance_after, hash = a.hash
    from again a where e.account_id = a.account_id and e.version = a.version`,
}

test('an account that is altered behind the triggers no longer proves', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(tampering)) as fc.Arbitrary<keyof typeof tampering>,
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      async (kind, count, nth) => {
        const version = 1 + (nth % count)
        const [account, other] = [await ledger.open(), await ledger.open()] as const
        await ledger.post(
          ...Array.from({ length: count }, (_, i) => deposit(account, 10 + i)),
          deposit(other, 1),
        )
        await check(ledger)
        await sealAccounts(sealer.tools, 60_000)
        const n = Number(await seal(sealer.tools, ''))
        const true_ = (await proofAt(account, 0, count, n)) as AccountProof
        expect(verifyProof(true_, sealKey.verifier)).toContain(`at version ${count},`)

        await tamper(ledger, 'entries', tampering[kind], [account, version])
        const altered = (await proofAt(account, 0, count, n)) as AccountProof
        expect(altered).not.toEqual(true_)
        expect(() => verifyProof(altered, sealKey.verifier)).toThrow()
        verifyProof((await proofAt(other, 0, 1, n)) as AccountProof, sealKey.verifier)

        // What makes the chain hold again does not make it fit what was sealed: nothing is sealed on top of
        // it.
        await ledger.post(deposit(account, 5))
        await check(ledger)
        await sealAccounts(sealer.tools, 60_000)
        const text = 'select from sealed where account_id = $1 and version > $2'
        const later = await ledger.db.query({ text, values: [account, count] })
        if (kind.startsWith('one entry')) expect(later).toEqual([])
      },
    ),
    { numRuns: 15 },
  )
})

/** The same of its holds: a table, and how it is changed. $2 is the version of an entry that ended a hold. */
const holdTampering = {
  'one amount': ['hold_entries', 'set amount = amount - 1 where account_id = $1 and version = $2'],
  'one sum': ['hold_entries', 'set held_after = held_after + 1 where account_id = $1 and version = $2'],
  'one time': [
    'hold_entries',
    `set created_at = created_at + interval '1 microsecond' where account_id = $1 and version = $2`,
  ],
  'one hold': ['hold_entries', 'set hold_id = uuidv7() where account_id = $1 and version = $2'],
  'what became of one hold': [
    'holds',
    `set status = case status when 'released' then 'expired'::hold_status else 'released' end,
      captured = null, transaction_id = null
      where id = (select hold_id from hold_entries where account_id = $1 and version = $2)`,
  ],
  'what was captured of one hold': [
    'holds',
    `set status = 'captured', captured = coalesce(captured, 0) + 1, transaction_id = coalesce(transaction_id, id)
      where id = (select hold_id from hold_entries where account_id = $1 and version = $2)`,
  ],
  'one end and its hash': [
    'hold_entries',
    `set created_at = created_at + interval '1 ms', hash = hold_hash(
        (select hash from hold_entries where account_id = $1 and version = $2 - 1), account_id, version, hold_id,
        amount, held_after, created_at + interval '1 ms', 'released')
      where account_id = $1 and version = $2`,
  ],
} as const

test('holds that are altered behind the triggers no longer prove', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(holdTampering)) as fc.Arbitrary<keyof typeof holdTampering>,
      fc.array(fc.constantFrom('capture', 'release'), { minLength: 1, maxLength: 6 }),
      fc.nat(20),
      async (kind, ends, nth) => {
        const [account, other] = [await ledger.open(), await ledger.open()] as const
        await ledger.post(deposit(account, 1_000), deposit(other, 10))
        const holds = ends.map((_, i) => placing(account, 10 + i))
        await ledger.post(...holds, placing(other, 1))
        await ledger.post(
          ...ends.map((end, i) =>
            end === 'capture'
              ? ending('capture', holds[i]!, 5, { to_account_id: other })
              : ending('release', holds[i]!),
          ),
        )
        await sealAll({ accounts: 5, entries: 50 })
        const count = 2 * ends.length
        const n = Number((await seals()).at(-1)!.n)
        const true_ = (await holdProofAt(account, 0, count, n)) as HoldProof
        expect(verifyProof(true_, sealKey.verifier)).toContain(`at version ${count},`)

        const [table, change] = holdTampering[kind]
        await tamper(ledger, table, `update ${table} ${change}`, [account, count - (nth % ends.length)])
        const altered = (await holdProofAt(account, 0, count, n)) as HoldProof
        expect(altered).not.toEqual(true_)
        expect(() => verifyProof(altered, sealKey.verifier)).toThrow()
        verifyProof((await holdProofAt(other, 0, 1, n)) as HoldProof, sealKey.verifier)
      },
    ),
    { numRuns: 15 },
  )
})

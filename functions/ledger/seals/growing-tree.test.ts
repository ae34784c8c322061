import fc from 'fast-check'
import { openCheckpoint, type Checkpoint } from '../../host/transparency/checkpoint.ts'
import { isConsistent } from '../../host/transparency/consistency.ts'
import { sealKey } from '../../../tests/support/host.ts'
import { deposit, testLedger, transfer, withdrawal, type TestLedger } from '../testing/ledger-fixture.ts'
import {
  check,
  loadVerifier,
  startSealer,
  tamper,
  type TestSealer,
  type VerifyProof,
} from '../testing/seals-fixture.ts'
import { proofOfAccount, type AccountProof } from './proof.ts'
import { seal, sealAccounts } from './seal.ts'

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
  | { kind: 'seal'; accounts: number; entries: number; dies: boolean }

const posting = { from: fc.nat(ACCOUNTS - 1), amount: fc.integer({ min: 1, max: 90 }) }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('deposit', 'withdrawal'), ...posting }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('transfer'), to: fc.nat(ACCOUNTS - 1), ...posting }),
  },
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

async function run(steps: readonly Step[], accounts: readonly string[]): Promise<void> {
  for (const one of steps) {
    if (one.kind === 'seal') {
      await check(ledger)
      const { broken, isComplete } = await sealAccounts(sealer.tools, 60_000, one)
      expect([broken, isComplete]).toEqual([[], true])
      if (!one.dies) await seal(sealer.tools, '')
      continue
    }
    const from = accounts[one.from]!
    if (one.kind === 'transfer') await ledger.post(transfer(from, accounts[one.to]!, one.amount))
    else await ledger.post((one.kind === 'deposit' ? deposit : withdrawal)(from, one.amount))
  }
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

      for (const account of accounts) {
        const leaves = await ledger.db.query<{ leaf: bigint; version: bigint }>({
          text: 'select leaf, version from sealed where account_id = $1 order by version',
          values: [account],
        })
        for (const { leaf, version } of leaves)
          for (const [i, { n }] of all.entries()) {
            const proof = await proofAt(account, 0, Number(version), Number(n))
            if (leaf >= opened[i]!.size) expect(proof).toBe(409)
            else
              expect(verifyProof(proof as AccountProof, sealKey.verifier)).toContain(
                ` at version ${version},`,
              )
          }
      }
    }),
    { numRuns: 12 },
  )
  expect(await ledger.faults()).toEqual([])
})

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

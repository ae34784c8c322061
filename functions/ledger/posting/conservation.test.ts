import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { deposit, testLedger, transfer, withdrawal, type TestLedger } from '../testing/ledger-fixture.ts'
import type { PostingRequest } from './posting-request.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

const LIMITS = [0n, 0n, 50n, 200n]

interface Step {
  kind: 'deposit' | 'withdrawal' | 'transfer'
  from: number
  to: number
  amount: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('deposit', 'withdrawal', 'transfer'),
  from: fc.nat(LIMITS.length - 1),
  to: fc.nat(LIMITS.length - 1),
  amount: fc.integer({ min: 1, max: 150 }),
})

/** The rules again, written as simply as possible. */
function model(balances: bigint[], { kind, from, to, amount }: Step): string {
  if (kind === 'transfer' && from === to) return 'same-account'
  const change = BigInt(amount)
  if (kind !== 'deposit') {
    if (balances[from]! + LIMITS[from]! < change) return 'insufficient-funds'
    balances[from]! -= change
  }
  if (kind !== 'withdrawal') balances[kind === 'deposit' ? from : to]! += change
  return 'posted'
}

const toRequest = (accounts: string[], { kind, from, to, amount }: Step): PostingRequest => {
  if (kind === 'deposit') return deposit(accounts[from]!, amount)
  if (kind === 'withdrawal') return withdrawal(accounts[from]!, amount)
  return transfer(accounts[from]!, accounts[to]!, amount)
}

test('batches of any content give the same result as their transactions one by one in a simple model', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 }),
      async (batches) => {
        const accounts: string[] = []
        for (const overdraftLimit of LIMITS) accounts.push(await ledger.open({ overdraftLimit }))
        const expected = LIMITS.map(() => 0n)
        for (const batch of batches) {
          const outcomes = await ledger.post(...batch.map((one) => toRequest(accounts, one)))
          expect(outcomes.map(({ outcome }) => outcome)).toEqual(batch.map((one) => model(expected, one)))
        }
        expect(await ledger.balances(...accounts)).toEqual(expected)
      },
    ),
    { numRuns: 40 },
  )
  expect(await ledger.faults()).toEqual([])
})

test('200 transfers at once over 10 accounts, a third of them sent twice, lose no money and move none twice', async () => {
  const accounts: string[] = []
  for (let i = 0; i < 10; i++) accounts.push(await ledger.open())
  await ledger.post(...accounts.map((account) => deposit(account, 1_000)))
  const requests = Array.from({ length: 200 }, (_, i) =>
    transfer(accounts[i % 10]!, accounts[(i * 7 + 3) % 10]!, 1 + ((i * 37) % 400), { key: randomUUID() }),
  ).filter((request) => request.account_id !== request.to_account_id)
  const repeated = requests.filter((_, i) => i % 3 === 0).map((request) => ({ ...request, id: randomUUID() }))

  const sent = [...requests, ...repeated]
  const outcomes = (await Promise.all(sent.map((request) => ledger.post(request)))).flat()

  const byKey = new Map<string, typeof outcomes>()
  sent.forEach(({ key }, i) => byKey.set(key!, [...(byKey.get(key!) ?? []), outcomes[i]!]))
  for (const answers of byKey.values()) {
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(new Set(answers.map((answer) => JSON.stringify({ ...answer, replayed: null }, text))).size).toBe(1)
  }
  const balances = await ledger.balances(...accounts)
  expect(balances.reduce((sum, balance) => sum + balance, 0n)).toBe(10_000n)
  for (const balance of balances) expect(balance).toBeGreaterThanOrEqual(0n)
  const [posted] = await ledger.db.query<{ count: bigint }>({
    text: `select count(*) from transactions where type = 'transfer' and account_id = any($1)`,
    values: [accounts],
  })
  const moved = [...byKey.values()].filter(([answer]) => answer!.outcome === 'posted').length
  expect(posted!.count).toBe(BigInt(moved))
  expect(await ledger.faults()).toEqual([])
})

const text = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

test('batches that share accounts and keys never deadlock', async () => {
  const accounts: string[] = []
  for (let i = 0; i < 6; i++) accounts.push(await ledger.open({ overdraftLimit: 1_000_000n }))
  const keys = Array.from({ length: 20 }, () => randomUUID())
  const batch = (seed: number): PostingRequest[] =>
    Array.from({ length: 20 }, (_, i) => {
      const n = (i * (seed + 3) + seed) % 20
      return transfer(accounts[n % 6]!, accounts[(n + 1 + seed) % 6]!, 1, { key: keys[n]! })
    })
  // A deadlock would reject, because nothing here repeats it.
  await Promise.all(Array.from({ length: 30 }, (_, seed) => ledger.post(...batch(seed))))
  expect(await ledger.faults()).toEqual([])
})

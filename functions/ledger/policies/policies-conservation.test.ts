import fc from 'fast-check'
import type { PostingRequest } from '../posting/posting-request.ts'
import {
  deposit,
  ending,
  placing,
  reversal,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from '../testing/ledger-fixture.ts'
import { limitTo, NOON, setFee, setTime } from '../testing/policies-fixture.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

const OVERDRAFTS = [0n, 0n, 50n, 200n]
/** What each account has at first. */
const START = 600
const COUNT = OVERDRAFTS.length

interface Step {
  kind: 'deposit' | 'withdrawal' | 'transfer' | 'place' | 'capture' | 'release' | 'reverse'
  from: number
  to: number
  amount: number
  /** Which of the earlier requests is meant. */
  nth: number
}

const account = fc.nat(COUNT - 1)
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'deposit',
    'withdrawal',
    'transfer',
    'transfer',
    'place',
    'capture',
    'release',
    'reverse',
  ),
  from: account,
  to: account,
  amount: fc.integer({ min: 1, max: 150 }),
  nth: fc.nat(50),
})

interface Policies {
  fees: Record<'deposit' | 'withdrawal' | 'transfer', number>
  limits: { transaction: number; day: number }[]
}

const policies: fc.Arbitrary<Policies> = fc.record({
  fees: fc.record({ deposit: fc.nat(20), withdrawal: fc.nat(20), transfer: fc.nat(20) }),
  limits: fc.array(
    fc.record({ transaction: fc.integer({ min: 50, max: 160 }), day: fc.integer({ min: 0, max: 600 }) }),
    { minLength: 2, maxLength: 2 },
  ),
})

type Open = { request: PostingRequest; from: number; amount: number }
type Posted = { request: PostingRequest; kind: string; from: number; to: number; amount: number; fee: number }

/** The rules again, written as simply as possible. The first two accounts have limits. */
class Model {
  balances = OVERDRAFTS.map(() => START)
  held = OVERDRAFTS.map(() => 0)
  gone = OVERDRAFTS.map(() => 0)
  fees = 0
  holds: Open[] = []
  posted: Posted[] = []
  private readonly policies: Policies

  constructor(given: Policies) {
    this.policies = given
  }

  private isShort(from: number, cost: number): boolean {
    return this.balances[from]! - this.held[from]! - cost < -Number(OVERDRAFTS[from])
  }

  private beyond(from: number, amount: number): string | undefined {
    const limits = this.policies.limits[from]
    if (!limits) return undefined
    if (amount > limits.transaction) return 'transaction-limit-exceeded'
    return this.gone[from]! + this.held[from]! + amount > limits.day ? 'day-limit-exceeded' : undefined
  }

  private book(posted: Posted): string {
    const { kind, from, to, amount, fee } = posted
    if (kind === 'deposit') this.balances[from]! += amount
    else this.balances[from]! -= amount
    if (kind === 'transfer') this.balances[to]! += amount
    this.balances[from]! -= fee
    this.fees += fee
    this.posted.push(posted)
    return 'posted'
  }

  /** Judges a step and returns its outcome. */
  take({ kind, from, to, amount }: Step, request: PostingRequest): string {
    if (kind === 'place') {
      // The fee is not held, but it must be there.
      const cost = amount + this.policies.fees.transfer
      const refusal = this.isShort(from, cost) ? 'insufficient-funds' : this.beyond(from, amount)
      if (refusal) return refusal
      this.held[from]! += amount
      this.holds.push({ request, from, amount })
      return 'posted'
    }
    if (kind === 'transfer' && from === to) return 'same-account'
    const fee = this.policies.fees[kind as 'deposit']
    if (kind === 'deposit' && fee > amount) return 'fee-exceeds-amount'
    if (kind !== 'deposit') {
      const refusal = this.isShort(from, amount + fee) ? 'insufficient-funds' : this.beyond(from, amount)
      if (refusal) return refusal
      this.gone[from]! += amount
    }
    return this.book({ request, kind, from, to, amount, fee })
  }

  end(hold: Open, taken: number, to: number, request: PostingRequest): string {
    if (taken > 0 && hold.from === to) return 'same-account'
    const fee = this.policies.fees.transfer
    if (taken > 0 && this.isShort(hold.from, taken + fee - hold.amount)) return 'insufficient-funds'
    this.holds.splice(this.holds.indexOf(hold), 1)
    this.held[hold.from]! -= hold.amount
    if (taken === 0) return 'posted'
    this.gone[hold.from]! += taken
    return this.book({ request, kind: 'transfer', from: hold.from, to, amount: taken, fee })
  }

  undo(posted: Posted): string {
    const { kind, from, to, amount, fee } = posted
    const payer = kind === 'transfer' ? to : from
    const cost = kind === 'withdrawal' ? -amount - fee : kind === 'deposit' ? amount - fee : amount
    if (kind !== 'withdrawal' && this.isShort(payer, cost)) return 'insufficient-funds'
    this.posted.splice(this.posted.indexOf(posted), 1)
    this.balances[from]! += kind === 'deposit' ? -amount : amount
    if (kind === 'transfer') this.balances[to]! -= amount
    this.balances[from]! += fee
    this.fees -= fee
    return 'posted'
  }
}

/** Makes the request of a step, and what the model makes of it; undefined if nothing is there to end. */
function play(
  model: Model,
  accounts: string[],
  step: Step,
): { request: PostingRequest; expected: string } | undefined {
  const { kind, from, to, amount, nth } = step
  if (kind === 'capture' || kind === 'release') {
    const hold = model.holds[nth % (model.holds.length || 1)]
    if (!hold) return undefined
    const taken = kind === 'capture' ? Math.min(amount, hold.amount) : 0
    const request =
      kind === 'capture'
        ? ending('capture', hold.request, taken, { to_account_id: accounts[to]! })
        : ending('release', hold.request)
    return { request, expected: model.end(hold, taken, to, request) }
  }
  if (kind === 'reverse') {
    const posted = model.posted[nth % (model.posted.length || 1)]
    if (!posted) return undefined
    return { request: reversal(posted.request, posted.kind === 'deposit'), expected: model.undo(posted) }
  }
  const request = {
    deposit: () => deposit(accounts[from]!, amount),
    withdrawal: () => withdrawal(accounts[from]!, amount),
    transfer: () => transfer(accounts[from]!, accounts[to]!, amount),
    place: () => placing(accounts[from]!, amount, { expires_in: 10 * 365 * 24 * 3600 }),
  }[kind]()
  return { request, expected: model.take(step, request) }
}

/** What a batch may end or reverse must have been posted before it. */
const isNew = (batch: PostingRequest[], { hold_id: hold, step, reverses }: PostingRequest): boolean =>
  step !== 'place' && batch.some(({ id }) => id === hold || id === reverses)

const setPolicies = async ({ fees, limits }: Policies, accounts: string[]): Promise<void> => {
  for (const [type, fixed] of Object.entries(fees)) await setFee(ledger, type as 'deposit', { fixed })
  for (const [i, { transaction, day }] of limits.entries()) {
    await limitTo(ledger, accounts[i]!, { transaction: BigInt(transaction), day: BigInt(day) })
  }
}

const feesTaken = async (): Promise<bigint> => {
  const [row] = await ledger.db.query<{ balance: bigint | null }>({
    text: `select sum(balance) as balance from accounts where id = fees_account_id('USD')`,
  })
  return BigInt(row!.balance ?? 0n)
}

test('with fees, limits, holds and reversals, batches come to the same as their steps one by one in a simple model', async () => {
  await fc.assert(
    fc.asyncProperty(
      policies,
      fc.array(fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }), { minLength: 1, maxLength: 5 }),
      async (given, batches) => {
        const accounts: string[] = []
        for (const overdraftLimit of OVERDRAFTS) accounts.push(await ledger.open({ overdraftLimit }))
        await setFee(ledger, 'deposit', null)
        await ledger.post(...accounts.map((id) => deposit(id, START)))
        await setTime(ledger, NOON, ...accounts)
        await setPolicies(given, accounts)
        const takenBefore = await feesTaken()
        const model = new Model(given)
        for (const steps of batches) {
          let batch: PostingRequest[] = []
          let expected: string[] = []
          const post = async (): Promise<void> => {
            const outcomes = await ledger.post(...batch)
            expect(outcomes.map(({ outcome }) => outcome)).toEqual(expected)
            ;[batch, expected] = [[], []]
          }
          for (const one of steps) {
            const played = play(model, accounts, one)
            if (!played) continue
            if (isNew(batch, played.request)) await post()
            batch.push(played.request)
            expected.push(played.expected)
          }
          if (batch.length > 0) await post()
        }
        const rows = await ledger.db.query<{ balance: bigint; held: bigint; gone: bigint }>({
          text: `select balance, held, coalesce((select o.amount from outflows o where o.account_id = a.id), 0) as gone
            from unnest($1::uuid[]) with ordinality wanted (id, n) join accounts a using (id) order by n`,
          values: [accounts],
        })
        expect(rows).toEqual(
          model.balances.map((balance, i) => ({
            balance: BigInt(balance),
            held: BigInt(model.held[i]!),
            gone: i < given.limits.length ? BigInt(model.gone[i]!) : 0n,
          })),
        )
        expect((await feesTaken()) - takenBefore).toBe(BigInt(model.fees))
      },
    ),
    { numRuns: 40 },
  )
  expect(await ledger.faults()).toEqual([])
  expect(await ledger.owner.query({ text: 'select * from verify_outflows()' })).toEqual([])
})

test('all at once, with fees and limits that change meanwhile, no money is lost and no limit passed', async () => {
  const accounts: string[] = []
  for (let i = 0; i < 6; i++) accounts.push(await ledger.open())
  await setTime(ledger, NOON, ...accounts)
  await setFee(ledger, 'deposit', null)
  await ledger.post(...accounts.map((id) => deposit(id, 5_000)))
  await limitTo(ledger, accounts[0]!, { day: 700n })
  const work = Array.from({ length: 120 }, async (_, n) => {
    const [from, to] = [accounts[n % 6]!, accounts[(n * 5 + 1) % 6]!]
    if (n % 20 === 7) return setFee(ledger, 'transfer', { fixed: n % 7 })
    if (n % 20 === 13) return limitTo(ledger, accounts[1 + (n % 3)]!, { day: BigInt(200 + n) })
    if (from === to) return undefined
    const hold = placing(from, 10 + n)
    const [placed] = await ledger.post(hold, transfer(from, to, 15 + n), withdrawal(to, 5))
    if (placed!.outcome !== 'posted') return undefined
    const end = n % 2 === 0 ? ending('capture', hold, 5, { to_account_id: to }) : ending('release', hold)
    const [ended] = await ledger.post(end)
    // The fee of a capture may have been spent.
    expect(['posted', 'insufficient-funds']).toContain(ended!.outcome)
    return undefined
  })
  await Promise.all(work)
  expect(await ledger.faults()).toEqual([])
  expect(await ledger.owner.query({ text: 'select * from verify_outflows()' })).toEqual([])
  const [room] = await ledger.db.query<{ day_used: bigint }>({
    text: 'select * from limit_room_of($1, $2)',
    values: [accounts[0], NOON],
  })
  expect(room!.day_used).toBeGreaterThan(0n)
  expect(room!.day_used).toBeLessThanOrEqual(700n)
})

import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
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
import type { PostingRequest } from './posting-request.ts'

/** Holds, captures, reversals, freezes and payments of every kind, mixed at random. */

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

const OVERDRAFTS = [0n, 0n, 60n, 200n]

interface Step {
  kind:
    | 'deposit'
    | 'withdrawal'
    | 'transfer'
    | 'place'
    | 'capture'
    | 'release'
    | 'reversal'
    | 'freeze'
    | 'unfreeze'
  account: number
  other: number
  amount: number
  /** Which of the earlier holds or transactions it is about. */
  subject: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    ...(['deposit', 'withdrawal', 'transfer', 'transfer', 'place', 'place', 'capture', 'capture'] as const),
    ...(['release', 'reversal', 'reversal', 'freeze', 'unfreeze', 'unfreeze'] as const),
  ),
  account: fc.nat(OVERDRAFTS.length - 1),
  other: fc.nat(OVERDRAFTS.length - 1),
  amount: fc.integer({ min: 1, max: 150 }),
  subject: fc.nat(30),
})

interface Hold {
  request: PostingRequest
  account: number
  amount: bigint
  ended?: 'captured' | 'released'
}

interface Movement {
  request: PostingRequest
  /** Places of the accounts; undefined for cash. */
  from: number | undefined
  to: number | undefined
  amount: bigint
  isReversed: boolean
}

/** The rules again, written as simply as possible: one request after the other. */
class Model {
  readonly balances = OVERDRAFTS.map(() => 0n)
  readonly held = OVERDRAFTS.map(() => 0n)
  readonly frozen = OVERDRAFTS.map(() => false)
  readonly holds: Hold[] = []
  readonly movements: Movement[] = []

  available(account: number): bigint {
    return this.balances[account]! - this.held[account]! + OVERDRAFTS[account]!
  }

  move(movement: Movement, freed = 0n): string {
    const { from, to, amount } = movement
    const isFrozen = [from, to].some((account) => account !== undefined && this.frozen[account])
    if (isFrozen) return 'account-frozen'
    if (from === to) return 'same-account'
    if (from !== undefined && this.available(from) + freed < amount) return 'insufficient-funds'
    if (from !== undefined) this.balances[from]! -= amount
    if (to !== undefined) this.balances[to]! += amount
    this.movements.push(movement)
    return 'posted'
  }

  place(hold: Hold): string {
    if (this.frozen[hold.account]) return 'account-frozen'
    if (this.available(hold.account) < hold.amount) return 'insufficient-funds'
    this.held[hold.account]! += hold.amount
    this.holds.push(hold)
    return 'posted'
  }

  capture(hold: Hold, movement: Movement): string {
    const [from, to] = [hold.account, movement.to!]
    if (this.frozen[from] || this.frozen[to]) return 'account-frozen'
    if (from === to) return 'same-account'
    if (hold.ended) return `hold-${hold.ended}`
    if (movement.amount > hold.amount) return 'more-than-held'
    const outcome = this.move(movement, hold.amount)
    if (outcome !== 'posted') return outcome
    this.held[from]! -= hold.amount
    hold.ended = 'captured'
    return outcome
  }

  release(hold: Hold): string {
    if (hold.ended) return `hold-${hold.ended}`
    this.held[hold.account]! -= hold.amount
    hold.ended = 'released'
    return 'posted'
  }

  reverse(original: Movement, back: Movement): string {
    const isFrozen = [original.from, original.to].some((n) => n !== undefined && this.frozen[n])
    if (isFrozen) return 'account-frozen'
    if (original.isReversed) return 'already-reversed'
    const outcome = this.move(back)
    if (outcome === 'posted') original.isReversed = true
    return outcome
  }
}

/** Makes the request for a step, and the outcome that the model expects of it. Undefined if the step has
 * nothing to be about. `known` says how many holds and transactions there were before the batch. */
function request(
  { kind, account, other, amount: n, subject }: Step,
  accounts: string[],
  model: Model,
  known: { holds: number; movements: number },
): [PostingRequest, string] | undefined {
  const [id, otherId, amount] = [accounts[account]!, accounts[other]!, BigInt(n)]
  const movement = (request: PostingRequest, from?: number, to?: number, of = amount): Movement => ({
    request,
    from,
    to,
    amount: of,
    isReversed: false,
  })
  switch (kind) {
    case 'deposit': {
      const asked = deposit(id, n)
      return [asked, model.move(movement(asked, undefined, account))]
    }
    case 'withdrawal': {
      const asked = withdrawal(id, n)
      return [asked, model.move(movement(asked, account))]
    }
    case 'transfer': {
      const asked = transfer(id, otherId, n)
      return [asked, model.move(movement(asked, account, other))]
    }
    case 'place': {
      const asked = placing(id, n)
      return [asked, model.place({ request: asked, account, amount })]
    }
    case 'capture':
    case 'release': {
      if (known.holds === 0) return undefined
      const hold = model.holds[subject % known.holds]!
      if (kind === 'release') return [ending('release', hold.request), model.release(hold)]
      const asked = ending('capture', hold.request, n, { to_account_id: otherId })
      return [asked, model.capture(hold, movement(asked, hold.account, other))]
    }
    case 'reversal': {
      if (known.movements === 0) return undefined
      const original = model.movements[subject % known.movements]!
      const ofAccount = accounts.indexOf(original.request.account_id)
      const asked = reversal(original.request, original.to === ofAccount)
      return [asked, model.reverse(original, movement(asked, original.to, original.from, original.amount))]
    }
    default:
      return undefined
  }
}

const rows = (accounts: string[]) =>
  ledger.db.query<{ balance: bigint; held: bigint }>({
    text: `select balance, held from unnest($1::uuid[]) with ordinality wanted (id, n) join accounts using (id) order by n`,
    values: [accounts],
  })

test('batches of holds, reversals and payments give the same as a simple model, one request after the other', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 1, maxLength: 30, size: 'max' }), {
        minLength: 2,
        maxLength: 8,
        size: 'max',
      }),
      async (batches) => {
        const model = new Model()
        const accounts: string[] = []
        for (const overdraftLimit of OVERDRAFTS) accounts.push(await ledger.open({ overdraftLimit }))
        for (const batch of batches) {
          const known = { holds: model.holds.length, movements: model.movements.length }
          const asked: [PostingRequest, string][] = []
          for (const one of batch) {
            const next = request(one, accounts, model, known)
            if (next) asked.push(next)
          }
          if (asked.length > 0) {
            const outcomes = await ledger.post(...asked.map(([request]) => request))
            expect(outcomes.map(({ outcome }) => outcome)).toEqual(asked.map(([, expected]) => expected))
          }
          // Status changes lock the row like postings do; between batches they need no model of time.
          for (const { kind, account } of batch.filter((one) => /freeze/.test(one.kind)))
            await setFrozen(accounts[account]!, (model.frozen[account] = kind === 'freeze'))
        }
        expect(await rows(accounts)).toEqual(
          model.balances.map((balance, n) => ({ balance, held: model.held[n]! })),
        )
      },
    ),
    { numRuns: 40 },
  )
  expect(await ledger.faults()).toEqual([])
})

const setFrozen = (id: string, isFrozen: boolean) => ledger.setStatus(id, isFrozen ? 'frozen' : 'open')

test('from many sides at once, each hold ends once, each transaction is reversed once, and no account goes below its floor', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 120, size: 'max' }), async (steps) => {
      const accounts: string[] = []
      for (const overdraftLimit of OVERDRAFTS) accounts.push(await ledger.open({ overdraftLimit }))
      const first = accounts.map((id) => deposit(id, 300))
      const placed = accounts.flatMap((id) => [1, 2, 3].map((n) => placing(id, n * 20)))
      const moved = accounts.map((id, n) => transfer(id, accounts[(n + 1) % accounts.length]!, 40))
      await ledger.post(...first, ...placed, ...moved)
      const asked = steps.flatMap(({ kind, account, other, amount, subject }): PostingRequest[] => {
        const [id, otherId] = [accounts[account]!, accounts[other]!]
        const hold = placed[subject % placed.length]!
        const original = moved[subject % moved.length]!
        // Every second one is sent twice, with its key.
        const key = subject % 2 === 0 ? randomUUID() : null
        const repeat = (request: PostingRequest) =>
          key ? [request, { ...request, id: randomUUID() }] : [request]
        switch (kind) {
          case 'deposit':
            return repeat(deposit(id, amount, { key }))
          case 'withdrawal':
            return repeat(withdrawal(id, amount, { key }))
          case 'transfer':
            return repeat(transfer(id, otherId, amount, { key }))
          case 'place':
            return [placing(id, amount)]
          case 'capture':
            return repeat(
              ending('capture', hold, Math.min(amount, Number(hold.amount)), { to_account_id: otherId, key }),
            )
          case 'release':
            return repeat(ending('release', hold, BigInt(hold.amount), { key }))
          case 'reversal':
            return repeat(reversal(original, false, { key }))
          default:
            return []
        }
      })
      // Freezing goes on meanwhile; whatever it stops is refused by name.
      const freezing = Promise.all(
        steps
          .filter(({ kind }) => /freeze/.test(kind))
          .map(({ kind, account }) => setFrozen(accounts[account]!, kind === 'freeze')),
      )
      const outcomes = (await Promise.all(asked.map((one) => ledger.post(one)))).flat()
      await freezing

      const succeeded = asked.filter((_, i) => outcomes[i]!.outcome === 'posted' && !outcomes[i]!.replayed)
      const ends = succeeded.flatMap(({ step, hold_id: hold }) => (step === 'place' ? [] : (hold ?? [])))
      const reversed = succeeded.flatMap(({ reverses }) => reverses ?? [])
      expect([new Set(ends).size, new Set(reversed).size]).toEqual([ends.length, reversed.length])
      const keys = succeeded.flatMap(({ key }) => key ?? [])
      expect(new Set(keys).size).toBe(keys.length)
      ;(await rows(accounts)).forEach(({ balance, held }, n) => {
        expect(balance - held + OVERDRAFTS[n]!).toBeGreaterThanOrEqual(0n)
      })
    }),
    { numRuns: 10 },
  )
  expect(await ledger.faults()).toEqual([])
})

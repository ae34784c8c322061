import fc from 'fast-check'
import { createAjv } from '../../host/http/compile-validators.ts'
import type { FieldError } from '../../host/problems.ts'
import { isRule, shown } from '../../host/testing/shown.ts'
import { testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import { givenRulesSchema, readRules, type GivenRules } from './fee-rules.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

interface Terms {
  fixed: number
  /** Millionths. */
  share: number
  minimum: number | null
  maximum: number | null
}

type Rules = Terms & { tiers: (Terms & { from: number })[] }

const AMOUNT_MAX = 10 ** 15

const terms = fc.record({
  fixed: fc.oneof(fc.constant(0), fc.nat(500), fc.nat(AMOUNT_MAX)),
  share: fc.oneof(fc.constant(0), fc.nat(1_000_000)),
  minimum: fc.option(fc.nat(10_000)),
  maximum: fc.option(fc.integer({ min: 10_000, max: AMOUNT_MAX })),
})
const from = fc.oneof(fc.nat(10_000), fc.nat(AMOUNT_MAX))
const rules: fc.Arbitrary<Rules> = fc
  .tuple(terms, fc.uniqueArray(fc.tuple(from, terms), { maxLength: 4, selector: ([first]) => first }))
  .map(([base, tiers]) => ({ ...base, tiers: tiers.map(([first, tier]) => ({ from: first, ...tier })) }))
const amount = fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: AMOUNT_MAX }))

/** The rules again, written as simply as possible. */
function model({ tiers, ...base }: Rules, paid: number): bigint {
  let chosen: Terms = base
  for (const tier of [...tiers].sort((a, b) => a.from - b.from)) if (tier.from <= paid) chosen = tier
  const millionths = BigInt(paid) * BigInt(chosen.share)
  const half = millionths % 1_000_000n >= 500_000n ? 1n : 0n
  let fee = BigInt(chosen.fixed) + millionths / 1_000_000n + half
  if (chosen.minimum !== null && fee < BigInt(chosen.minimum)) fee = BigInt(chosen.minimum)
  if (chosen.maximum !== null && fee > BigInt(chosen.maximum)) fee = BigInt(chosen.maximum)
  return fee
}

const feesOf = async (cases: readonly (readonly [Rules | null, number])[]): Promise<bigint[]> => {
  const rows = await ledger.db.query<{ fee: bigint }>({
    text: `select fee_of(nullif(rules, 'null'), amount) as fee
      from unnest($1::jsonb[], $2::bigint[]) with ordinality given (rules, amount, n) order by n`,
    values: [cases.map(([one]) => JSON.stringify(one)), cases.map(([, paid]) => paid)],
  })
  return rows.map(({ fee }) => fee)
}

test('a fee is what the rules say, to the minor unit, for any rules and any amount', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(rules, amount), { minLength: 50, maxLength: 50 }), async (cases) => {
      expect(await feesOf(cases)).toEqual(cases.map(([one, paid]) => model(one, paid)))
    }),
    { numRuns: 40 },
  )
})

const plain = { fixed: 0, share: 0, minimum: null, maximum: null, tiers: [] }

test('half a minor unit is rounded up, less is rounded down', async () => {
  const share = { ...plain, share: 5_000 }
  expect(
    await feesOf([
      [share, 99],
      [share, 100],
      [share, 299],
      [share, 300],
    ]),
  ).toEqual([0n, 1n, 1n, 2n])
})

test('at the edge of a tier its terms are for the whole amount', async () => {
  const tiered = { ...plain, fixed: 50, tiers: [{ ...plain, from: 10_000, share: 1_000 }] }
  expect(
    await feesOf([
      [tiered, 9_999],
      [tiered, 10_000],
    ]),
  ).toEqual([50n, 10n])
})

test('without rules there is no fee', async () => {
  expect(await feesOf([[null, 5]])).toEqual([0n])
})

test('the contract takes the rules that the bank takes, and of the rest only what a rule refuses', () => {
  const [isChecked, fits] = [createAjv('body').compile(givenRulesSchema), shown(givenRulesSchema)]
  const text = fc.stringMatching(/^[0-9]{0,4}(\.[0-9]{0,5})?$/)
  const number = fc.oneof(
    fc.double({ min: -1, max: 101 }),
    fc.integer({ min: -1, max: 101 }),
    fc.constant(1e-7),
  )
  const given = fc.record(
    {
      fixed: fc.oneof(text, number),
      percent: fc.oneof(text, number),
      maximum: fc.oneof(text, fc.constant(null)),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(given, (asked) => {
      const faults: FieldError[] = []
      if (isChecked(asked)) readRules(asked as GivenRules, 'USD', '/rules', faults)
      else faults.push({ path: '/rules', message: 'is not of the schema' })
      if (faults.length === 0) expect([asked, fits(asked)]).toEqual([asked, true])
      if (fits(asked)) expect(faults.filter((fault) => !isRule(fault))).toEqual([])
    }),
    { numRuns: 2000 },
  )
})

test.each([-1, '-1', 100.5, 101, '100.01', '101', '2.12345'])(
  'the contract takes no percentage of %p',
  (percent) => {
    expect(shown(givenRulesSchema)({ percent })).toBe(false)
  },
)

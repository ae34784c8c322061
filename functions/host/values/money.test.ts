import fc from 'fast-check'
import { isRule, shown } from '../testing/shown.ts'
import { currencies } from './currencies.ts'
import { AMOUNT_MAX, amountOrZeroSchema, amountSchema, formatAmount, parseAmount } from './money.ts'

const currency = fc.constantFrom(...currencies.keys())
const minorUnits = fc.bigInt(1n, AMOUNT_MAX)

test('every amount stays the same when formatted and parsed', () => {
  fc.assert(
    fc.property(minorUnits, currency, (amount, code) => {
      expect(parseAmount(formatAmount(amount, code), code)).toEqual({ minorUnits: amount })
    }),
  )
})

test('a number means the same as its decimal text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (cents) => {
      const amount = cents / 100
      expect(parseAmount(amount, 'USD')).toEqual({ minorUnits: BigInt(cents) })
      expect(parseAmount(String(amount), 'USD')).toEqual({ minorUnits: BigInt(cents) })
    }),
  )
})

test('negative amounts are formatted with the sign in front', () => {
  expect(formatAmount(-5n, 'USD')).toBe('-0.05')
  expect(formatAmount(-1234n, 'USD')).toBe('-12.34')
  expect(formatAmount(-7n, 'JPY')).toBe('-7')
})

test.each([
  ['200.00', 'USD', 20000n],
  [200, 'USD', 20000n],
  [200.5, 'USD', 20050n],
  ['0.01', 'USD', 1n],
  ['5', 'JPY', 5n],
  ['0.001', 'BHD', 1n],
  ['1.0001', 'UYW', 10001n],
  ['10000000000000.00', 'USD', AMOUNT_MAX],
] as const)('%p %s is an amount', (amount, code, expected) => {
  expect(parseAmount(amount, code)).toEqual({ minorUnits: expected })
})

test.each([
  [0, 'USD'],
  ['0.00', 'USD'],
  [-1, 'USD'],
  ['-1', 'USD'],
  [-0, 'USD'],
  [0.001, 'USD'],
  ['0.001', 'USD'],
  ['1.0', 'JPY'],
  [Infinity, 'USD'],
  [NaN, 'USD'],
  [1e21, 'USD'],
  [1e-7, 'USD'],
  [2 ** 53, 'USD'],
  ['9007199254740992', 'JPY'],
  ['9223372036854775808', 'USD'],
  ['10000000000000.01', 'USD'],
  ['１２', 'USD'],
  ['1,000', 'USD'],
  ['+1', 'USD'],
  [' 1', 'USD'],
  ['1 ', 'USD'],
  ['1\n', 'USD'],
  ['1.', 'USD'],
  ['.5', 'USD'],
  ['0x10', 'USD'],
  ['1e3', 'USD'],
  ['007', 'USD'],
  ['', 'USD'],
])('%p %s is not an amount', (amount, code) => {
  expect(parseAmount(amount, code)).toHaveProperty('invalid')
})

test('zero is an amount only if allowed', () => {
  expect(parseAmount('0.00', 'USD', { zero: true })).toEqual({ minorUnits: 0n })
})

test.each([
  [12.345, 'USD', 'must have at most 2 decimals, as USD has'],
  ['12.34567', 'USD', 'must have at most 2 decimals, as USD has'],
  [0.1 + 0.2, 'USD', 'must have at most 2 decimals, as USD has'],
  [1.5e-7, 'USD', 'must have at most 2 decimals, as USD has'],
  ['1e-7', 'USD', 'must be a decimal number without a sign, like "200.00"'],
])('%p %s is refused for what is wrong with it', (amount, code, invalid) => {
  expect(parseAmount(amount, code)).toEqual({ invalid })
})

describe.each([
  ['amounts', amountSchema, {}],
  ['amounts that may be zero', amountOrZeroSchema, { zero: true }],
])('the contract of %s', (_what, schema, options) => {
  const fits = shown(schema)
  // One for each number of decimals.
  const codes = ['JPY', 'USD', 'BHD', 'UYW']
  const nearly = fc.oneof(
    fc.stringMatching(/^[0-9]{0,17}(\.[0-9]{0,6})?$/),
    fc.stringMatching(/^0?\.?0{0,5}[0-9]?$/),
    fc.stringMatching(/^1?0{12,17}(\.[01]{1,4})?$/),
    fc.string({ unit: fc.constantFrom(...'019.-+e '), maxLength: 8 }),
    fc.tuple(minorUnits, currency).map(([amount, code]) => formatAmount(amount, code)),
    fc.tuple(minorUnits, fc.constantFrom(1, 10, 100, 1e4, 1e9)).map(([amount, by]) => Number(amount) / by),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, -0.01, 1e-7, 0.0001, 0.00009, 1e15, 1e15 + 1, 2 ** 53),
  )

  test('takes what the bank takes in any currency, and of the rest only what a rule refuses', () => {
    fc.assert(
      fc.property(nearly, (amount) => {
        const parsed = codes.map((code) => parseAmount(amount, code, options))
        const faults = parsed.flatMap((one) => ('invalid' in one ? [one.invalid] : []))
        if (faults.length < codes.length) expect([amount, fits(amount)]).toEqual([amount, true])
        if (fits(amount))
          expect(faults.filter((message) => !isRule({ path: '/amount', message }))).toEqual([])
      }),
      { numRuns: 2000 },
    )
  })
})

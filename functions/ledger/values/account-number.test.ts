import fc from 'fast-check'
import { createAjv } from '../../host/http/compile-validators.ts'
import { testLedger, type TestLedger } from '../testing/ledger-fixture.ts'
import { accountNumberSchema, hasCheckDigits } from './account-number.ts'

let ledger: TestLedger

beforeAll(async () => {
  ledger = await testLedger()
})
afterAll(() => ledger.close())

const isWellFormed = createAjv('query').compile(accountNumberSchema)
const isGood = (number: string): boolean => isWellFormed(number) && hasCheckDigits(number)

const serials = fc.integer({ min: 1_000_000_000, max: 9_999_999_999 })

/** Makes the account numbers of serials, as the ledger does. */
const numbersOf = async (given: number[]): Promise<string[]> =>
  (
    await ledger.db.query<{ number: bigint }>({
      text: `select account_number(serial) as number from unnest($1::bigint[]) with ordinality s (serial, n)
        order by n`,
      values: [given],
    })
  ).map(({ number }) => String(number))

test('each wrong digit and each swap of two neighbours makes a number that is none', async () => {
  const [lowest, highest] = [1_000_000_000, 9_999_999_999]
  const numbers = await numbersOf([lowest, highest, ...fc.sample(serials, 500)])
  for (const number of numbers) {
    expect([number, isGood(number)]).toEqual([number, true])
    const digits = [...number]
    const mistakes = digits.flatMap((digit, place) => [
      ...[...'0123456789'].filter((other) => other !== digit).map((other) => digits.with(place, other)),
      ...(place > 0 && digits[place - 1] !== digit
        ? [digits.with(place - 1, digit).with(place, digits[place - 1]!)]
        : []),
    ])
    expect(mistakes.length).toBeGreaterThanOrEqual(12 * 9)
    expect(mistakes.map((wrong) => wrong.join('')).filter(isGood)).toEqual([])
  }
})

test('only twelve digits are a number', async () => {
  const [number] = await numbersOf([1_234_567_890])
  expect(number).toBe('123456789092')
  for (const wrong of [
    '',
    `${number} `,
    `+${number}`,
    `${number}0`,
    number!.slice(1),
    `0${number!.slice(1)}`,
  ])
    expect([wrong, isGood(wrong)]).toEqual([wrong, false])
})

import { IdleWatch } from './idle-watch.ts'

const MINUTE = 60_000
/** Time is simulated, and so is the bank's answer: this is about what a page does at which moment. */
let renewals: number[]
let told: (number | undefined)[]
let ends: number
let watch: IdleWatch
/** Minutes since the start at which the session was last continued, as the bank says. */
let known: () => Promise<number | undefined>

const minutes = (): number => (Date.now() - startedAt) / MINUTE
const pass = (min: number): Promise<void> => jest.advanceTimersByTimeAsync(min * MINUTE)
let startedAt: number

beforeEach(() => {
  jest.useFakeTimers({ now: new Date('2026-11-27T09:00:00Z') })
  startedAt = Date.now()
  renewals = []
  told = []
  ends = 0
  known = () => Promise.resolve(startedAt + (renewals.at(-1) ?? 0) * MINUTE)
  watch = new IdleWatch(
    {
      ...{ limitMs: 15 * MINUTE, warnMs: 2 * MINUTE, renewMs: 2 * MINUTE },
      renew: () => renewals.push(minutes()),
      lastRenewal: () => known(),
      tell: (endsAt) => told.push(endsAt && (endsAt - startedAt) / MINUTE),
      end: () => ends++,
    },
    startedAt,
  )
})
afterEach(() => {
  watch.stop()
  jest.useRealTimers()
})

test('whoever does nothing is told two minutes before the end, and then it ends', async () => {
  await pass(12.9)
  expect([told, ends]).toEqual([[], 0])
  await pass(0.2)
  expect([told, ends]).toEqual([[15], 0])
  await pass(2)
  expect([told, ends]).toEqual([[15, undefined], 1])
  watch.use()
  await pass(60)
  expect([ends, renewals]).toEqual([1, [2]])
})

test('a use after that takes it back, and the whole time begins anew', async () => {
  await pass(14)
  watch.use()
  expect(told).toEqual([15, undefined])
  expect(renewals.at(-1)).toBe(14)
  await pass(12.9)
  expect([told, ends]).toEqual([[15, undefined], 0])
  await pass(0.2)
  expect(told.at(-1)).toBe(29)
})

test('while it is used, it is continued every two minutes, and once after the last use', async () => {
  for (let n = 0; n < 50; n++) {
    watch.use()
    await pass(0.1)
  }
  expect(renewals).toEqual([2, 4])
  await pass(10)
  expect(renewals).toHaveLength(3)
  expect(renewals[2]).toBeCloseTo(6)
})

test('another tab that is used keeps this one, which says nothing', async () => {
  await pass(2)
  known = () => Promise.resolve(Date.now() - MINUTE)
  await pass(58)
  expect([told, ends]).toEqual([[], 0])
})

test('an end that is told is taken back if another tab is used meanwhile', async () => {
  await pass(14)
  expect(told).toEqual([15])
  known = () => Promise.resolve(startedAt + 14 * MINUTE)
  await pass(2)
  expect([told, ends]).toEqual([[15, undefined], 0])
})

test('a computer that slept does not begin anew with the first touch', async () => {
  jest.setSystemTime(startedAt + 60 * MINUTE)
  watch.use()
  await pass(15)
  expect([ends, renewals]).toEqual([1, []])
})

test('without an answer of the bank this tab decides alone', async () => {
  known = () => Promise.reject(new Error('offline'))
  await pass(16)
  expect(ends).toBe(1)
})

test('a bank that is silent does not hold up the end', async () => {
  known = () => new Promise(() => undefined)
  await pass(13.5)
  expect([told, ends]).toEqual([[15], 0])
  await pass(2)
  expect(ends).toBe(1)
})

test('a clock that is set back holds up no renewal', async () => {
  await pass(2)
  jest.setSystemTime(startedAt - 60 * MINUTE)
  watch.use()
  await pass(2.1)
  expect(renewals).toEqual([2, -58])
})

test('a clock that is set back holds up the end by no more than the time until then', async () => {
  jest.setSystemTime(startedAt - 60 * MINUTE)
  await pass(30)
  expect(ends).toBe(1)
})

import { planAfterFailure, type AttemptFailure } from './schedule.ts'

const DAY_MS = 24 * 3600 * 1000
const plan = (failure: Partial<AttemptFailure> = {}, random = 0) =>
  planAfterFailure({ attempt: 1, httpStatus: 500, hookFailures: 1, failingForMs: 0, ...failure }, random)

test('a delivery is attempted again after ever longer waits, for two days, and then no more', () => {
  const waits = Array.from({ length: 11 }, (_, i) => plan({ attempt: i + 1 }).retryAfterMs)
  expect(waits.slice(0, 3)).toEqual([30_000, 120_000, 600_000])
  expect(waits.at(-1)).toBeNull()
  const waited = waits.slice(0, -1) as number[]
  expect(waited).toEqual(waited.toSorted((a, b) => a - b))
  expect(waited.reduce((sum, wait) => sum + wait, 0) / DAY_MS).toBeGreaterThan(2)
})

test('up to a fifth is added to each wait', () => {
  expect(plan({}, 1).retryAfterMs).toBe(36_000)
  expect(plan({ hookFailures: 5 }, 0.5).blockForMs).toBe(11_000)
})

test('a hook that fails five times in a row gets pauses, which grow to half an hour', () => {
  const blocks = [1, 4, 5, 6, 7, 500].map((hookFailures) => plan({ hookFailures }).blockForMs)
  expect(blocks).toEqual([0, 0, 10_000, 20_000, 40_000, 1_800_000])
})

test('410 pauses at once; anything else only after three days and ten failures', () => {
  expect(plan({ httpStatus: 410 }).pause).toBe('gone')
  expect(plan({ hookFailures: 100, failingForMs: 3 * DAY_MS - 1 }).pause).toBeNull()
  expect(plan({ hookFailures: 9, failingForMs: 3 * DAY_MS }).pause).toBeNull()
  expect(plan({ hookFailures: 10, failingForMs: 3 * DAY_MS, httpStatus: null }).pause).toBe('failing')
})

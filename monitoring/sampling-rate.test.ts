import { samplingRate } from './sampling-rate.ts'

test('lets some begin at once, then so many a second, and never saves up for more', () => {
  let now = 1_000
  const mayBegin = samplingRate(2, () => now)
  const count = (tries: number): number => Array.from({ length: tries }, mayBegin).filter(Boolean).length
  expect(count(100)).toBe(10)
  now += 499
  expect(count(100)).toBe(0)
  now += 1
  expect(count(100)).toBe(1)
  now += 1_000
  expect(count(100)).toBe(2)
  now += 3_600_000
  expect(count(100)).toBe(10)
})

import { readAgainMs } from './read-again.ts'

test('what goes on is read again soon, then rarely, and not for ever', () => {
  expect([1, 2, 3].map(readAgainMs)).toEqual([1_000, 1_500, 2_250])
  const waits = Array.from({ length: 14 }, (_wait, n) => readAgainMs(n + 1) as number)
  expect(waits.at(-1)).toBe(20_000)
  expect(waits.reduce((all, ms) => all + ms, 0)).toBeLessThan(180_000)
  expect(readAgainMs(15)).toBe(false)
})

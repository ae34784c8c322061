import { age } from './table.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

test.each([
  [-5000, '0s'],
  [119_999, '119s'],
  [2 * MINUTE, '2m'],
  [7 * MINUTE + 12_000, '7m12s'],
  [10 * MINUTE + 30_000, '10m'],
  [90 * MINUTE, '90m'],
  [3 * HOUR + 4 * MINUTE, '3h4m'],
  [47 * HOUR, '47h'],
  [2 * DAY + 3 * HOUR, '2d3h'],
  [400 * DAY, '400d'],
])('%d ms are an age of %s', (ms, words) => {
  expect(age(ms)).toBe(words)
})

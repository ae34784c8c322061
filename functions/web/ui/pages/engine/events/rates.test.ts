import { byMinute, linePath, totalOf } from './rates.ts'

test('attempts are added up in all, and by minute', () => {
  const delivered = Array.from({ length: 30 }, (_, n) => (n < 6 ? 1 : n === 29 ? 4 : 0))
  expect(totalOf({ delivered, failed: [0, 2] })).toEqual({ delivered: 10, failed: 2 })
  expect(byMinute(delivered, 10)).toEqual([6, 0, 0, 0, 4])
  expect(byMinute([1, 2], 60)).toEqual([1, 2])
})

test('a line goes from the left to the right edge, and touches the top where it is highest', () => {
  expect(linePath([0, 2, 1], 2, { width: 10, height: 4 })).toBe('M0 4L5 0L10 2')
  expect(linePath([0, 0], 0, { width: 10, height: 4 })).toBe('M0 4L10 4')
})

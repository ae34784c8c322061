import { slopeOf, trendOf } from './series.ts'

const series = (values: (number | undefined)[]) => ({ name: 'memory', unit: 'MB', values })

test('the slope is that of the line that fits best', () => {
  expect(slopeOf([])).toBe(0)
  expect(slopeOf([[5, 7]])).toBe(0)
  expect(
    slopeOf([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
  ).toBeCloseTo(2)
  // A lone peak in the middle tilts nothing.
  expect(
    slopeOf([
      [0, 1],
      [1, 100],
      [2, 1],
    ]),
  ).toBeCloseTo(0)
})

test('a trend has the median of each third, and what an hour adds', () => {
  const trend = trendOf(series([10, 11, 900, 20, 21, 22, 30, 31, 32]), 10)
  expect(trend).toMatchObject({ name: 'memory', unit: 'MB', thirds: [11, 21, 31] })
  expect(trendOf(series([0, 1, 2, 3, 4, 5]), 10)!.perHour).toBeCloseTo(360)
})

test('a window that does not count leaves a gap, and moves no other', () => {
  const trend = trendOf(series([0, undefined, 2, undefined, 4, 5]), 10)!
  expect(trend.thirds).toEqual([0, 2, 4.5])
  expect(trend.perHour).toBeCloseTo(360)
  expect(trendOf(series([1, 2, undefined, undefined, 5, 6]), 10)).toBeUndefined()
})

import { axisFor, cellsOf, linePath } from './line-path.ts'

test.each([
  [[], 0, 1],
  [[null, 0], 0, 1],
  [[3], 0, 5],
  [[0.21], 0, 0.25],
  [[100], 0, 100],
  [[1_001], 0, 2_000],
  [[-3, 8], -5, 10],
  [[-3], -5, 0],
])('the axis of %j goes from %d to %d', (course, bottom, top) => {
  const axis = axisFor([course])
  expect(axis.bottom).toBeCloseTo(bottom, 9)
  expect(axis.top).toBeCloseTo(top, 9)
})

test('a line breaks where there is no value, and a point alone is still drawn', () => {
  const path = linePath([0, 5, null, 10, null], { bottom: 0, top: 10 }, { width: 40, height: 100 })
  expect(path).toBe('M0 100h0L10 50M30 0h0')
})

test('each bucket gets what the lower ones have not', () => {
  expect(
    cellsOf([
      { bound: Infinity, course: [5, 6] },
      { bound: 0.1, course: [1, null] },
      { bound: 0.2, course: [4, 2] },
    ]),
  ).toEqual([
    { bound: 0.1, counts: [1, 0] },
    { bound: 0.2, counts: [3, 2] },
    { bound: Infinity, counts: [1, 4] },
  ])
})

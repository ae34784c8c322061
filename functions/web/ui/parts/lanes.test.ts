import { axisOf, lanesOf } from './lanes.ts'

const bar = (at_ms: number, ms: number) => ({ at_ms, ms })

test('without long waits, the axis is as long as the time', () => {
  const bars = [bar(0, 50), bar(60, 40)]
  const { place, folds } = axisOf(bars, bars)
  expect([0, 25, 60, 100].map(place)).toEqual([0, 25, 60, 100])
  expect([place(-5), place(900)]).toEqual([0, 100])
  expect(folds).toEqual([])
})

test('a wait of a minute takes a small part, and what is around it stays to scale', () => {
  const busy = [bar(0, 100), bar(60_100, 100)]
  const { place, folds } = axisOf([...busy, bar(100, 60_000)], busy)
  expect(folds).toHaveLength(1)
  expect(folds[0]!.ms).toBe(60_000)
  expect(folds[0]!.width).toBeCloseTo(100 * (16 / 216))
  expect(place(100)).toBeCloseTo(100 * (100 / 216))
  expect(place(50) * 2).toBeCloseTo(place(100))
  expect(place(60_150) - place(60_100)).toBeCloseTo(place(50))
  expect(place(60_200)).toBeCloseTo(100)
  expect(place(30_100)).toBeCloseTo((place(100) + place(60_100)) / 2)
})

test('overlapping bars leave no gap between them; a wait at the end is folded too', () => {
  const busy = [bar(0, 3_000), bar(500, 100), bar(3_500, 10)]
  const { folds } = axisOf([...busy, bar(3_510, 5_000)], busy)
  expect(folds.map(({ ms }) => ms)).toEqual([5_000])
})

test('nothing, and a moment without length, can be drawn', () => {
  expect(axisOf([], []).place(5)).toBe(0)
  expect(axisOf([bar(7, 0)], [bar(7, 0)]).place(7)).toBe(0)
})

test('lanes come in the order in which they are first used', () => {
  const bars = ['door', 'transfer', 'door', 'broker'].map((lane) => ({ lane }))
  expect(lanesOf(bars).map(({ lane, bars: own }) => [lane, own.length])).toEqual([
    ['door', 2],
    ['transfer', 1],
    ['broker', 1],
  ])
})

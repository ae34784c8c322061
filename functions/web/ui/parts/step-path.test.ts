import { stepPath } from './step-path.ts'

const box = { width: 100, height: 50 }

test('each entry is a step at its time, and the last balance goes on until now', () => {
  const points = [
    { at: 1_000, balance: 0n },
    { at: 1_500, balance: 200n },
    { at: 1_750, balance: 100n },
  ]
  expect(stepPath(points, 2_000, box)).toEqual({
    line: 'M0 50V50H50V0H75V25H100',
    area: 'M0 50V50H50V0H75V25H100V50Z',
    zero: 50,
    lowest: 0n,
    highest: 200n,
  })
})

test('zero is in the picture, above or below', () => {
  expect(stepPath([{ at: 0, balance: -50n }], 10, box)).toMatchObject({ zero: 0, line: 'M0 50V50H100' })
  expect(stepPath([{ at: 0, balance: 50n }], 10, box)).toMatchObject({ zero: 50, line: 'M0 0V0H100' })
})

test('one moment, no money and amounts beyond numbers are drawn too', () => {
  expect(stepPath([{ at: 5, balance: 0n }], 5, box).line).toBe('M0 50V50H100')
  const rich = [
    { at: 0, balance: 10n ** 30n },
    { at: 1, balance: 10n ** 30n + 1n },
  ]
  expect(stepPath(rich, 2, box).line).toBe('M0 0.01V0.01H50V0H100')
})

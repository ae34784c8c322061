import { createRateControl, excessOf, type RateControl } from './rate-control.ts'

/** Runs steps against a system that publishes `capacity` events a second and answers `most` requests. Returns
 * the backlog after each step of a second. */
function run(control: RateControl, steps: number, { capacity = Infinity, most = Infinity }): number[] {
  let backlog = 0
  return Array.from({ length: steps }, () => {
    const reached = Math.min(control.perSecond, most)
    backlog = Math.max(0, backlog + reached - capacity)
    control.note({ reached, backlog, seconds: 1, isFull: control.perSecond > most })
    return backlog
  })
}

test('the rate rises until a backlog grows, and settles below what can be published', () => {
  const control = createRateControl(500)
  run(control, 60, { capacity: 4_000 })
  expect(control.hasFound).toBe(true)
  expect(control.perSecond).toBeGreaterThan(3_000)
  expect(control.perSecond).toBeLessThan(4_400)
})

test('a backlog is worked off, and stays small afterwards', () => {
  const control = createRateControl(500)
  const backlogs = run(control, 200, { capacity: 4_000 })
  expect(Math.max(...backlogs)).toBeGreaterThan(2_000)
  expect(Math.max(...backlogs)).toBeLessThan(4_000 * 3)
  expect(Math.max(...backlogs.slice(40))).toBeLessThan(4_000)
})

test('a rate that is far too great is left in few steps, however little is published meanwhile', () => {
  const control = createRateControl(8_000)
  control.note({ reached: 8_000, backlog: 15_000, seconds: 2, isFull: false })
  expect(control.perSecond).toBe(6_400)
  control.note({ reached: 6_400, backlog: 20_000, seconds: 2, isFull: false })
  expect(control.perSecond).toBe(5_120)
  // The backlog shrinks.
  control.note({ reached: 5_120, backlog: 16_000, seconds: 2, isFull: false })
  expect(control.perSecond).toBe(5_120)
})

test('if no more requests are answered, the rate stays at those that are', () => {
  const control = createRateControl(500)
  run(control, 60, { most: 900 })
  expect(control.hasFound).toBe(true)
  expect(control.perSecond).toBeGreaterThan(850)
  expect(control.perSecond).toBeLessThan(1_100)
})

test('a rate that is not quite reached does not end the search', () => {
  const control = createRateControl(500)
  control.note({ reached: 300, backlog: 0, seconds: 1, isFull: false })
  expect(control.perSecond).toBe(625)
  expect(control.hasFound).toBe(false)
})

test('the search goes on while the backlog is flat', () => {
  const control = createRateControl(500)
  run(control, 5, {})
  expect(control.hasFound).toBe(false)
  expect(control.perSecond).toBeGreaterThan(1_000)
})

test('what is under way is no backlog', () => {
  expect(excessOf({ reached: 1_000, backlog: 500 })).toBe(0)
  expect(excessOf({ reached: 1_000, backlog: 510 })).toBe(10)
  expect(excessOf({ reached: 10, backlog: 60 })).toBe(0)
})

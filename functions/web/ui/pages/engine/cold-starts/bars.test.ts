import { barsOf, scaleOf, sumOf, totalMs, usedBuckets, within } from './bars.ts'

const none = {
  ...{ function: 'transfer', started_at: '2030-01-01T00:00:00Z', ready_ms: null, spawn_ms: null },
  ...{ port_open_ms: null, boot_ms: null, load_ms: null, idle_ms: null, first_request_ms: null },
  first_query_ms: null,
}
const started = { ...none, ready_ms: 50, spawn_ms: 10, port_open_ms: 40 }
const whole = { ...started, boot_ms: 25, load_ms: 14, first_request_ms: 20, first_query_ms: 8 }

test('phases stand end to end, boot and load share the time to the open port, a query ends the request', () => {
  expect(barsOf(whole).map(({ phase, fromMs, ms }) => [phase, fromMs, ms])).toEqual([
    ['spawn', 0, 10],
    ['boot', 10, 25],
    ['load', 35, 15],
    ['first-request', 50, 20],
    ['first-query', 62, 8],
  ])
})

test('what is not known is not drawn: before the first answer, after it without a query, and on a cluster', () => {
  expect(barsOf(started).map(({ phase }) => phase)).toEqual(['spawn', 'port-open'])
  const later = { ...whole, first_query_ms: 900 }
  expect(barsOf(later).map(({ phase }) => phase)).toEqual(['spawn', 'boot', 'load', 'first-request'])
  expect(barsOf({ ...none, ready_ms: 3000 })).toEqual([{ phase: 'ready', fromMs: 0, ms: 3000 }])
  expect(barsOf(none)).toEqual([])
})

test('the total is the wait of a caller, and not known before the first answer', () => {
  expect([whole, started, none, { ...none, ready_ms: 3000 }].map(totalMs)).toEqual([70, null, null, 3000])
})

test('the scale is a round number above the longest start', () => {
  expect(
    [[whole], [{ ...whole, first_request_ms: 200 }], [{ ...none, ready_ms: 1000 }], []].map(scaleOf),
  ).toEqual([...[100, 250, 1000, 1]])
})

test('histograms are added up by phase, and tell the bound within which a part lies', () => {
  const histogram = { function: 'a', phase: 'boot' as const, counts: [0, 3, 1, 0] }
  const counts = sumOf([histogram, { ...histogram, function: 'b' }, { ...histogram, phase: 'load' }], 'boot')!
  expect(counts).toEqual([0, 6, 2, 0])
  expect(sumOf([histogram], 'spawn')).toBeUndefined()
  const bounds = [5, 10, 20]
  expect([0.5, 0.95].map((part) => within(counts, bounds, part))).toEqual([10, 20])
  expect(within([0, 0, 0, 2], bounds, 0.5)).toBe(Infinity)
  expect(within([0, 0, 0, 0], bounds, 0.5)).toBeNull()
  expect(usedBuckets([counts, [0, 0, 0, 0]])).toEqual({ from: 0, to: 3 })
  expect(usedBuckets([[0, 0, 0, 0]])).toEqual({ from: 0, to: 0 })
})

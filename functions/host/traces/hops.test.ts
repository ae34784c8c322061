import { costOf, spannedMs } from './cost.ts'
import { toHopList } from './hop-schema.ts'
import { hopsOf } from './hops.ts'
import type { TraceSpan } from './read-trace.ts'

const T0 = Date.parse('2026-06-30T12:00:00Z')

/** Returns a span; times are in milliseconds after T0. */
const span = (
  [spanId, parentSpanId]: [string, string?],
  name: string,
  kind: TraceSpan['kind'],
  [start, end]: [number, number],
  more: Partial<TraceSpan> = {},
): TraceSpan => ({
  ...{ spanId, parentSpanId, name, kind, startMs: T0 + start, endMs: T0 + end },
  ...{ links: [], isError: false, attributes: {}, process: {} },
  ...more,
})

const born = (service: string, createdAt: number, openMs: number) => ({
  'service.name': service,
  'microbank.context': 'ledger',
  'process.creation.time': new Date(T0 + createdAt).toISOString(),
  'microbank.port_open_ms': openMs,
  'microbank.memory_bytes': 50_000_000,
})
const first = { 'faas.coldstart': true }
const event = { 'cloudevents.event_id': 'e1' }
const attempt = (n: number, status: number, next?: number) => ({
  ...event,
  'messaging.operation.name': 'deliver',
  'messaging.destination.subscription.name': 'notify',
  'microbank.attempt': n,
  'http.response.status_code': status,
  ...(next !== undefined && { 'microbank.next_attempt_ms': next }),
})

/** A transfer whose function starts cold, and whose event is delivered at the second attempt. */
const transfer: TraceSpan[] = [
  // The front door has run for long, though this is its first traced request.
  span(['door'], 'POST /api/transactions', 'server', [0, 70], {
    attributes: first,
    process: born('front-door', -60_000, 50),
  }),
  span(['fn', 'door'], 'POST /transactions', 'server', [58, 68], {
    attributes: { ...first, 'http.response.status_code': 201 },
    process: born('transfer', 2, 50),
  }),
  span(['sql', 'fn'], 'post-transactions', 'client', [60, 63], {
    attributes: { 'db.system.name': 'postgresql' },
    process: born('transfer', 2, 50),
  }),
  span(['send', 'fn'], 'send transaction.completed', 'producer', [68, 70], {
    attributes: event,
    process: born('transfer', 2, 50),
  }),
  span(['d1', 'fn'], 'deliver notify', 'client', [75, 80], {
    attributes: { ...attempt(1, 503, 100), 'error.type': '503' },
    process: { 'service.name': 'broker' },
    isError: true,
  }),
  span(['d2', 'fn'], 'deliver notify', 'client', [180, 200], {
    attributes: attempt(2, 204),
    process: { 'service.name': 'broker' },
  }),
  span(['got', 'fn'], 'process transaction.completed', 'consumer', [190, 199], {
    attributes: event,
    process: born('notify', -500, 40),
    links: ['d2'],
  }),
]

const shown = (spans: readonly TraceSpan[]) =>
  hopsOf(spans).map(({ kind, lane, name, startMs, ms }) => [kind, lane, name, startMs - T0, Math.round(ms)])

test('a transfer’s hops: work, cold start, waits, and a bar for each attempt', () => {
  expect(shown(transfer)).toEqual([
    ['work', 'front-door', 'POST /api/transactions', 0, 70],
    ['cold-start', 'transfer', 'transfer', 0, 58],
    ['work', 'transfer', 'POST /transactions', 58, 10],
    ['sql', 'ledger-db', 'post-transactions', 60, 3],
    ['publish', 'broker', 'send transaction.completed', 68, 2],
    ['wait', 'trigger:notify', 'queue', 70, 5],
    ['attempt', 'trigger:notify', 'deliver notify', 75, 5],
    ['wait', 'trigger:notify', 'retry', 80, 100],
    ['attempt', 'trigger:notify', 'deliver notify', 180, 20],
    ['wait', 'notify', 'notify', 180, 10],
    ['work', 'notify', 'process transaction.completed', 190, 9],
  ])
  const tried = hopsOf(transfer).filter(({ kind }) => kind === 'attempt')
  expect(tried).toMatchObject([
    { attempt: 1, status: 503, error: '503', nextAttemptMs: T0 + 180 },
    { attempt: 2, status: 204, error: null, nextAttemptMs: null },
  ])
})

test('the front door’s own start is one if the request waited for it', () => {
  const [door] = transfer as [TraceSpan]
  const woken = { ...door, startMs: T0 + 3, process: born('front-door', -60, 60) }
  expect(shown([woken])).toEqual([
    ['cold-start', 'front-door', 'front-door', -60, 63],
    ['work', 'front-door', 'POST /api/transactions', 3, 67],
  ])
})

test('who waits for a process that started for another waits; only its first request woke it', () => {
  const [door, fn] = transfer as [TraceSpan, TraceSpan]
  expect(shown([door, { ...fn, attributes: {} }])[1]).toEqual(['wait', 'transfer', 'transfer', 0, 58])
  expect(shown([door, { ...fn, attributes: {}, startMs: T0 + 0.5 }])[1]![0]).toBe('work')
  // A process that was there before is not woken by its first traced request.
  expect(shown([door, { ...fn, process: born('transfer', -9_000, 50) }])[1]![0]).toBe('wait')
})

test('without the spans around it, a span is still a hop', () => {
  const [, fn, , , , , got] = transfer as [
    TraceSpan,
    TraceSpan,
    TraceSpan,
    TraceSpan,
    TraceSpan,
    TraceSpan,
    TraceSpan,
  ]
  expect(shown([fn, got]).map(([kind]) => kind)).toEqual(['cold-start', 'work', 'work'])
  expect(hopsOf([])).toEqual([])
})

test('costs are those of functions, cold starts included; overlaps of starts count once', () => {
  const hops = hopsOf(transfer)
  const cost = costOf(hops)!
  expect(cost.requests).toBe(3)
  expect(cost.process_ms).toBeCloseTo(58 + 70 + 10 + 9)
  expect(cost.cold_share).toBeCloseTo(58 / 147)
  expect(cost.gb_seconds).toBeCloseTo((0.147 * 50) / 1_000)
  expect(costOf([])).toBeNull()
  expect(spannedMs([])).toBe(0)
  const at = (startMs: number, ms: number) => ({ startMs, ms })
  expect(spannedMs([at(10, 10), at(0, 5), at(12, 4), at(15, 10)])).toBe(20)
})

test('as shown, times count from the first hop', () => {
  const list = toHopList(hopsOf(transfer.slice(2, 6)))
  expect(list[0]).toMatchObject({ name: 'post-transactions', at_ms: 0, ms: 3, attempt: null, event_id: null })
  expect(list.at(-1)).toMatchObject({ at_ms: 120, event_id: 'e1', started_at: '2026-06-30T12:00:00.180Z' })
  expect(list.find(({ attempt }) => attempt === 1)).toMatchObject({
    next_attempt_at: '2026-06-30T12:00:00.180Z',
  })
})

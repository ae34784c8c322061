import { until } from '../tests/support/until.ts'
import { startCollector, type Collector } from './collector-fixture.ts'
import { createLog } from './log.ts'
import { startSpan } from './trace.ts'
import { createTracer, HELD_MAX, type Tracer, type TracingSettings } from './tracer.ts'
import type { Work } from './ended-span.ts'

// jest needs seconds to load the libraries for the first time, and a process that stops waits two.
beforeAll(() => import('./otlp.ts'))

let collector: Collector
let lines: { message: string; spans?: number; why?: string }[]

beforeEach(async () => {
  collector = await startCollector()
  lines = []
})

afterEach(() => collector.close())

const tracer = (endpoint = collector.endpoint, ratio = 1, more: Partial<TracingSettings> = {}): Tracer =>
  createTracer({
    ...more,
    endpoint,
    ratio,
    headers: {},
    resource: { 'service.name': 'test' },
    log: createLog({}, 'info', (line) => lines.push(JSON.parse(line) as (typeof lines)[number])),
  })

const work = (name: string, more: Partial<Work> = {}): Work => ({
  name,
  kind: 'server',
  startedAt: performance.now(),
  attributes: {},
  ...more,
})

const endMany = (on: Tracer, count: number): void => {
  for (let n = 0; n < count; n++) on.end(on.start(undefined), work(`span ${n}`))
}

test('a span is sent with its place in the trace, its times, its error and its links', async () => {
  const traced = tracer()
  const parent = startSpan(undefined)
  const span = traced.start(`00-${parent.traceId}-${parent.spanId}-01`)
  const linked = startSpan(undefined)
  const before = Date.now()
  const startedAt = performance.now() - 1_500
  traced.end(span, work('transfer', { startedAt, attributes: { a: 1 }, error: '40001', links: [linked] }))
  await traced.stop()
  const [sent] = collector.spans
  expect(sent).toMatchObject({
    traceId: parent.traceId,
    spanId: span.spanId,
    parentSpanId: parent.spanId,
    name: 'transfer',
    kind: 2,
    attributes: { a: 1, 'error.type': '40001' },
    status: { code: 2 },
    links: [{ traceId: linked.traceId, spanId: linked.spanId }],
    resource: { 'service.name': 'test' },
  })
  const [start, end] = [Number(sent!.startTimeUnixNano) / 1e6, Number(sent!.endTimeUnixNano) / 1e6]
  expect(end - start).toBeGreaterThanOrEqual(1_499)
  expect(Math.abs(end - before)).toBeLessThan(60_000)
  expect(lines).toEqual([])
})

test('spans that have ended are sent when the process stops, even if no library was loaded yet', async () => {
  const traced = tracer()
  endMany(traced, 600)
  await traced.stop()
  // Two batches arrive, in either order.
  expect(new Set(collector.spans.map(({ name }) => name)).size).toBe(600)
})

test('an incoming unsampled trace stays unsampled, and `ratio` of the new traces are sampled', async () => {
  const none = tracer(collector.endpoint, 0)
  const all = tracer(collector.endpoint, 1)
  const half = tracer(collector.endpoint, 0.5)
  const parent = startSpan(undefined)
  const unsampled = `00-${parent.traceId}-${parent.spanId}-00`
  const sampled = `00-${parent.traceId}-${parent.spanId}-01`
  expect([all.start(unsampled), none.start(sampled)]).toMatchObject([{ traceFlags: 0 }, { traceFlags: 1 }])
  const started = Array.from({ length: 1_000 }, () => half.start(undefined))
  const chosen = started.filter(({ traceFlags }) => traceFlags === 1)
  expect(chosen.length).toBeGreaterThan(400)
  expect(chosen.length).toBeLessThan(600)
  all.end(all.start(unsampled), work('unsampled'))
  none.end(none.start(undefined), work('not chosen'))
  none.end(none.start(sampled), work('sampled'))
  for (const traced of [none, all, half]) await traced.stop()
  expect(collector.spans.map(({ name }) => name)).toEqual(['sampled'])
  expect(lines).toEqual([])
})

test('a long text of a stranger does not fill what keeps spans', async () => {
  const traced = tracer()
  const path = `/accounts/${'x'.repeat(15_000)}`
  traced.end(traced.start(undefined), work('GET', { attributes: { 'url.path': path, a: 1 } }))
  await traced.stop()
  expect(collector.spans[0]!.attributes).toEqual({ 'url.path': path.slice(0, 500), a: 1 })
})

test('a stranger begins no more traces by wanting them sampled, but keeps their ids', () => {
  // So few that none begins.
  const traced = tracer(collector.endpoint, 1, { perSecondMax: 1e-9 })
  const wanted = `00-${'7'.repeat(32)}-${'7'.repeat(16)}-01`
  expect(traced.start(wanted, () => true)).toMatchObject({ traceId: '7'.repeat(32), traceFlags: 0 })
  // What belongs to a request that was let in goes on.
  expect(traced.start(wanted)).toMatchObject({ traceFlags: 1 })
  expect(traced.start(wanted, () => false)).toMatchObject({ traceFlags: 1 })
  expect(traced.start(undefined, () => false)).toMatchObject({ traceFlags: 0 })
})

test('while the collector hangs, a limited number of spans wait, and the others are lost and counted', async () => {
  collector.mode = 'hang'
  const traced = tracer()
  endMany(traced, HELD_MAX + 700)
  await traced.stop()
  // The first loss is logged at once, all later ones when the process stops.
  expect(lines).toMatchObject([
    { message: 'spans are lost', spans: 1 },
    { message: 'spans are lost', spans: HELD_MAX + 699, why: expect.stringContaining('had not taken them') },
  ])
})

test('when a collector takes spans again, it gets the later ones', async () => {
  collector.mode = 'refuse'
  const traced = tracer()
  // A full batch is sent at once.
  endMany(traced, 512)
  await until(() => lines.length > 0, { what: 'the loss to be logged' })
  collector.mode = 'take'
  traced.end(traced.start(undefined), work('later'))
  await traced.stop()
  expect(collector.spans.map(({ name }) => name)).toEqual(['later'])
  expect(lines).toMatchObject([{ message: 'spans are lost', spans: 512 }])
})

test('if the collector is away, spans are lost, and the log says why', async () => {
  const traced = tracer('http://127.0.0.1:9')
  endMany(traced, 3)
  await traced.stop()
  expect(lines).toMatchObject([{ message: 'spans are lost', spans: 3 }])
})

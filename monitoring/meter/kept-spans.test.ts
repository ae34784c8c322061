import { randomHex } from '../random.ts'
import { startSpan } from '../trace.ts'
import { createKeptTracer } from './kept-tracer.ts'
import { KeptSpans, type OtlpTraces } from './kept-spans.ts'

const span = (traceId: string, name = 'GET /x', more: object = {}) => ({
  ...{ traceId, spanId: randomHex(16), name, kind: 2 },
  ...{ startTimeUnixNano: '1700000000000000000', endTimeUnixNano: '1700000000005000000' },
  ...more,
})

const exported = (...spans: object[]): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'x' } }] },
        scopeSpans: [{ scope: { name: 'x' }, spans }],
      },
    ],
  })

const read = (kept: KeptSpans, traceId: string) =>
  (JSON.parse(kept.trace(traceId)) as OtlpTraces).resourceSpans.map(({ resource, scopeSpans }) => ({
    name: scopeSpans[0]!.spans[0]!.name,
    service: resource.attributes[0]!.value.stringValue,
  }))

test('gives the spans of one trace, each with its process', () => {
  const kept = new KeptSpans()
  const [one, two] = [randomHex(32), randomHex(32)]
  expect(kept.take(exported(span(one, 'a'), span(two, 'b'), span(one, 'c')))).toBe(0)
  expect(read(kept, one)).toEqual([
    { name: 'a', service: 'x' },
    { name: 'c', service: 'x' },
  ])
  expect(read(kept, randomHex(32))).toEqual([])
})

test('keeps the last ones only, by number and by bytes', () => {
  const few = new KeptSpans({ spansMax: 3 })
  const traces = Array.from({ length: 5 }, () => randomHex(32))
  for (const traceId of traces) few.take(exported(span(traceId)))
  expect(traces.map((traceId) => read(few, traceId).length)).toEqual([0, 0, 1, 1, 1])

  const small = new KeptSpans({ bytesMax: 20_000 })
  const long = { attributes: [{ key: 'url.path', value: { stringValue: 'x'.repeat(4_000) } }] }
  for (const traceId of traces) small.take(exported(span(traceId, 'long', long)))
  expect(traces.map((traceId) => read(small, traceId).length)).toEqual([0, 0, 0, 1, 1])
})

test('a span that is too large is left out, what is no span is refused with all that came with it', () => {
  const kept = new KeptSpans()
  const traceId = randomHex(32)
  expect(kept.take(exported(span(traceId, 'x'.repeat(20_000)), span(traceId, 'fine')))).toBe(1)
  for (const text of [
    'no JSON',
    '{}',
    exported(span(traceId), span('short')),
    exported(span(traceId, 'x', { startTimeUnixNano: 'noon' })),
  ])
    expect(() => kept.take(text)).toThrow(/^These are no spans as OTLP in JSON: /)
  expect(read(kept, traceId).map(({ name }) => name)).toEqual(['fine'])
})

test('a tracer of the same process keeps what it ends, but nothing of traces that are not sampled', () => {
  const kept = new KeptSpans()
  const tracer = createKeptTracer(kept, { 'service.name': 'broker' })
  const sampled = tracer.start(undefined)
  const parent = tracer.start(`00-${sampled.traceId}-${sampled.spanId}-01`)
  const startedAt = performance.now()
  tracer.end(parent, {
    name: 'deliver notify',
    kind: 'client',
    startedAt,
    attributes: { 'microbank.attempt': 2, 'microbank.next_attempt_ms': 0.5, ok: true },
    error: '503',
    links: [startSpan(undefined)],
  })
  const not = tracer.start(`00-${randomHex(32)}-${randomHex(16)}-00`)
  tracer.end(not, { name: 'deliver notify', kind: 'client', startedAt, attributes: {} })
  const { resourceSpans } = JSON.parse(kept.trace(sampled.traceId)) as OtlpTraces
  expect(resourceSpans).toMatchObject([
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'broker' } }] },
      scopeSpans: [
        {
          spans: [
            {
              parentSpanId: sampled.spanId,
              kind: 3,
              attributes: [
                { key: 'microbank.attempt', value: { intValue: 2 } },
                { key: 'microbank.next_attempt_ms', value: { doubleValue: 0.5 } },
                { key: 'ok', value: { boolValue: true } },
                { key: 'error.type', value: { stringValue: '503' } },
              ],
              status: { code: 2 },
            },
          ],
        },
      ],
    },
  ])
  const { startTimeUnixNano: start, endTimeUnixNano: end } = resourceSpans[0]!.scopeSpans[0]!.spans[0]!
  expect(BigInt(end) >= BigInt(start)).toBe(true)
  expect(Math.abs(Number(BigInt(end) / 1_000_000n) - Date.now())).toBeLessThan(60_000)
  expect(kept.trace(not.traceId)).toBe('{"resourceSpans":[]}')
})

import { once } from 'node:events'
import { connect } from 'node:net'
import { inOtherProcess } from '../../tests/support/other-process.ts'
import { createLog } from '../log.ts'
import { encodeReport } from '../otlp-metrics.ts'
import { Histogram, Tallies } from '../tallies.ts'
import { startMeter, testMeter } from './meter-fixture.ts'
import { Meter } from './meter.ts'
import { MalformedReportError } from './receive.ts'
import { serveMeter } from './serve.ts'
import { Sums } from './sums.ts'

/** A report of some requests, as a process would send it. */
function report({ instance = 'a', startMs = 1, requests = 1, service = 'transfer', rss = 0 } = {}): string {
  const tallies = new Tallies()
  for (let i = 0; i < requests; i++) tallies.request('GET', '/x', 200, 0.003, 0, 500)
  return encodeReport({
    resource: { 'service.name': service, 'service.instance.id': instance },
    startMs,
    timeMs: startMs + 1,
    tallied: tallies.take(),
    gauges: new Map(rss > 0 ? [['process_resident_memory_bytes', { '': rss }]] : []),
  })
}

async function value(meter: Meter, series: string): Promise<number | undefined> {
  const { text } = await meter.expose()
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

const REQUESTS = 'http_requests_total{service="transfer",method="GET",handler="/x",status="2xx"}'

test('reports of several processes add up; one that comes twice, late or out of order counts once', async () => {
  const meter = testMeter()
  const first = report({ instance: 'a', startMs: 1, requests: 50 })
  const second = report({ instance: 'a', startMs: 5, requests: 20 })
  const third = report({ instance: 'a', startMs: 9, requests: 7 })
  const other = report({ instance: 'b', startMs: 1, requests: 30 })
  for (const each of [first, first, third, other, second, first, other, third]) meter.take(each)
  expect(await value(meter, REQUESTS)).toBe(107)
  expect(await value(meter, 'microbank_meter_reports_total{result="taken"}')).toBe(4)
  expect(await value(meter, 'microbank_meter_reports_total{result="repeated"}')).toBe(4)
})

test('what is no report counts nothing', async () => {
  const meter = testMeter()
  const total = report().replaceAll('"aggregationTemporality":1', '"aggregationTemporality":2')
  const anonymous = report().replace('service.instance.id', 'service.instance.number')
  const [endless, foreign] = [report({ service: 'x'.repeat(1_000_000) }), report({ service: 'Ada Lovelace' })]
  for (const text of ['', '{}', '[]', 'null', '{"resourceMetrics":[{}]}', total, anonymous, endless, foreign])
    expect(() => meter.take(text)).toThrow('no report as OTLP in JSON')
  expect(await value(meter, REQUESTS)).toBeUndefined()
  expect(await value(meter, 'microbank_meter_reports_total{result="malformed"}')).toBe(9)
})

test('whatever a sender writes, the meter goes on, shows values, and takes the next report', async () => {
  const meter = testMeter()
  const changes: [string, string][] = [
    ['{"key":"handler","value":{"stringValue":"/x"}}', 'null'],
    ['{"key":"handler","value":{"stringValue":"/x"}}', '{"key":"handler"}'],
    ['{"key":"handler","value":{"stringValue":"/x"}}', '{"key":"handler","value":{"stringValue":["/x"]}}'],
    ['{"key":"handler","value":{"stringValue":"/x"}}', '{"key":"__proto__","value":{"stringValue":"/x"}}'],
    ['"stringValue":"transfer"', '"stringValue":["transfer"]'],
    ['"stringValue":"transfer"', `"stringValue":"${'x'.repeat(1_000)}"`],
    ['"stringValue":"a"', `"stringValue":"${'a'.repeat(1_000_000)}"`],
    ['"startTimeUnixNano":"1000000"', `"startTimeUnixNano":"${'1'.repeat(1_000_000)}"`],
    ['"name":"http_requests_total"', '"name":"__proto__"'],
    ['"asDouble":1', '"asDouble":1e999'],
    ['"asDouble":1', '"asDouble":1e300'],
    ['"asDouble":1', '"asDouble":"1"'],
    ['"dataPoints":[', '"dataPoints":[null,'],
    ['"bucketCounts":[', '"bucketCounts":7,"other":['],
    ['"explicitBounds":[', '"explicitBounds":{"length":13},"other":['],
    ['"sum":0.003', '"sum":-1'],
    ['"sum":0.003', '"sum":0.003,"exemplars":{}'],
    ['"sum":0.003', '"sum":0.003,"exemplars":[null,7,{"traceId":7},{"traceId":"xxxx","asDouble":"NaN"}]'],
    [report(), `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`],
    [report(), `{"resourceMetrics":${'{"a":'.repeat(500_000)}1${'}'.repeat(500_000)}}`],
  ]
  for (const [from, to] of changes) {
    const text = report().replace(from, to)
    expect([from, text === report()]).toEqual([from, false])
    try {
      meter.take(text)
    } catch (error) {
      expect([to.slice(0, 50), error]).toEqual([to.slice(0, 50), expect.any(MalformedReportError)])
    }
  }
  meter.take(report({ instance: 'another', requests: 5 }))
  const { text } = await meter.expose()
  expect(text).not.toMatch(/Infinity|NaN|xxxx|__proto__/)
  expect(await value(meter, REQUESTS)).toBeLessThan(20)
  expect(await value(meter, REQUESTS)).toBeGreaterThanOrEqual(5)
})

test('it takes what the catalogue has, and counts what it refuses', async () => {
  const meter = testMeter()
  const changes: [string, string, string][] = [
    ['unknown', '"http_requests_total"', '"somebody_elses_total"'],
    ['unknown', '"http_requests_total"', '"microbank_transactions_total"'],
    ['label', '{"key":"handler","value":{"stringValue":"/x"}},', ''],
    ['value', '"2xx"', '"200"'],
    ['value', '"asDouble":1', '"asDouble":-1'],
  ]
  for (const [i, [reason, from, to]] of changes.entries()) {
    const before = (await value(meter, `microbank_meter_refused_total{reason="${reason}"}`))!
    expect(meter.take(report({ startMs: i + 1 }).replace(from, to))).toBeGreaterThan(0)
    expect(await value(meter, `microbank_meter_refused_total{reason="${reason}"}`)).toBeGreaterThan(before)
  }
  expect(await value(meter, REQUESTS)).toBeUndefined()
})

test('two processes with one id both count, even if they start in the same millisecond', async () => {
  const meter = testMeter()
  const [one, other] = [report({ requests: 3 }), report({ requests: 4 })]
  for (const text of [one, other, other, one]) meter.take(text)
  expect(await value(meter, REQUESTS)).toBe(7)
  expect(await value(meter, 'microbank_meter_reports_total{result="repeated"}')).toBe(2)
})

test('processes of two Services with one id keep their gauges', async () => {
  const meter = testMeter()
  meter.take(report({ rss: 100 }))
  meter.take(report({ service: 'deposit', rss: 30 }))
  expect(await value(meter, 'process_resident_memory_bytes{service="transfer"}')).toBe(100)
  expect(await value(meter, 'process_resident_memory_bytes{service="deposit"}')).toBe(30)
})

/** A report of the date of keys with these names. */
const keys = (names: readonly string[], instance = 'a') =>
  encodeReport({
    resource: { 'service.name': 'transfer', 'service.instance.id': instance },
    ...{ startMs: 1, timeMs: 2, tallied: counted().take() },
    gauges: new Map([
      ['microbank_key_created_timestamp_seconds', Object.fromEntries(names.map((name) => [name, 7]))],
    ]),
  })
const counted = (): Tallies => {
  const tallies = new Tallies()
  tallies.count('microbank_processes_started_total')
  return tallies
}

test('gauges are limited too: those of a process, and the series of all together', async () => {
  const meter = testMeter()
  const many = (of: string, count: number) => Array.from({ length: count }, (_, n) => `${of}-${n}`)
  expect(meter.take(keys(many('key', 250)))).toBe(50)
  const shown = async () =>
    (await meter.expose()).text
      .split('\n')
      .filter((line) => line.startsWith('microbank_key_created_timestamp_seconds{'))
  expect(await shown()).toHaveLength(200)
  for (let n = 0; n < 150; n++) meter.take(keys(many(`of-${n}`, 200), `process-${n}`))
  expect(await shown()).toHaveLength(20_000)
  // Every later look refuses the rest again.
  expect(await value(meter, 'microbank_meter_refused_total{reason="full"}')).toBeGreaterThan(10_000)
  // What is counted does not suffer.
  meter.take(report({ instance: 'another', requests: 5 }))
  expect(await value(meter, REQUESTS)).toBe(5)
})

test('a gauge is neither below zero nor beyond what can be counted', async () => {
  const meter = testMeter()
  for (const [n, bad] of ['-1', '1e300', 'null', '"1"', '{}'].entries()) {
    const text = report({ startMs: n + 1, rss: 77 }).replace('"asDouble":77', `"asDouble":${bad}`)
    expect([bad, meter.take(text)]).toEqual([bad, 1])
  }
  expect(await value(meter, 'process_resident_memory_bytes{service="transfer"}')).toBeUndefined()
})

test('an exemplar of a clock that is ahead is left out, and its value counts', async () => {
  const meter = testMeter()
  const at = (ms: number) =>
    report({ startMs: ms }).replace(
      '"sum":0.003',
      `"sum":0.003,"exemplars":[{"timeUnixNano":"${ms}000000","asDouble":0.003,"traceId":"${'a'.repeat(32)}"}]`,
    )
  const scrape = async () => (await meter.expose('application/openmetrics-text')).text
  await scrape()
  meter.take(at(Date.now() + 3_600_000))
  await scrape()
  expect(await scrape()).not.toContain('trace_id')
  meter.take(at(Date.now()))
  expect(await scrape()).toContain('trace_id')
  expect(await value(meter, REQUESTS)).toBe(2)
})

test('series are limited, and those that are there go on', () => {
  const sums = new Sums(2)
  const add = (refusal: string) => sums.add('microbank_refusals_total', { service: 'x', refusal }, 1)
  expect([add('a'), add('b'), add('c'), add('a')]).toEqual([undefined, undefined, 'full', undefined])
})

test('gauges of processes are combined, replaced by the next report, and forgotten after 90 s of silence', async () => {
  let now = 0
  const meter = new Meter({ log: createLog({}, 'off'), version: '1', now: () => now })
  const rss = () => value(meter, 'process_resident_memory_bytes{service="transfer"}')
  meter.take(report({ instance: 'a', rss: 100 }))
  meter.take(report({ instance: 'b', rss: 30 }))
  expect(await rss()).toBe(130)
  meter.take(report({ instance: 'a', startMs: 2, rss: 50 }))
  expect(await rss()).toBe(80)
  now = 90_000
  meter.take(report({ instance: 'b', startMs: 2, rss: 30 }))
  expect(await rss()).toBe(80)
  now = 90_001
  expect(await rss()).toBe(30)
  meter.take(report({ instance: 'b', startMs: 3 }))
  expect(await rss()).toBeUndefined()
})

test('a source that fails or is silent is left out, and so is a value that the catalogue does not have', async () => {
  const meter = new Meter({ log: createLog({}, 'off'), version: '1', answerMs: 10 })
  meter.addSource(() => Promise.reject(new Error('away')))
  meter.addSource(() => new Promise(() => {}))
  meter.addSource(() => [{ name: 'microbank_users', labels: { role: 'customer' }, value: 3 }])
  meter.addSource(() => [{ name: 'microbank_users', labels: { role: 'ada@example.com' }, value: 3 }])
  expect(await value(meter, 'microbank_users{role="customer"}')).toBe(3)
  expect((await meter.expose()).text).not.toContain('ada')
})

test('who counts often has the labels checked once, and is refused like everybody else', async () => {
  const meter = testMeter()
  const count = meter.counter('broker_ingress_requests_total', { code: '202' })
  count()
  count()
  meter.counter('broker_ingress_requests_total', { code: 'ada@example.com' })()
  const observe = meter.histogram('microbank_batch_size', { service: 'transfer' })
  for (const size of [1, 3, 1_000_000, NaN, -1]) observe(size)
  meter.histogram('microbank_batch_size', { service: 'transfer', user: 'ada' })(1)
  meter.observe('microbank_batch_size', { service: 'deposit' }, NaN)
  expect(await value(meter, 'broker_ingress_requests_total{code="202"}')).toBe(2)
  expect(await value(meter, 'microbank_batch_size_bucket{service="transfer",le="2"}')).toBe(1)
  expect(await value(meter, 'microbank_batch_size_bucket{service="transfer",le="4"}')).toBe(2)
  expect(await value(meter, 'microbank_batch_size_count{service="transfer"}')).toBe(3)
  expect(await value(meter, 'microbank_meter_refused_total{reason="value"}')).toBe(4)
  expect(await value(meter, 'microbank_meter_refused_total{reason="label"}')).toBe(1)
  const { text } = await meter.expose()
  expect(text).not.toContain('ada')
  expect(text).not.toContain('deposit')
})

test('it shows text to a person, and OpenMetrics to who asks for it', async () => {
  const meter = testMeter()
  meter.observe('microbank_batch_size', { service: 'transfer' }, 3)
  const plain = await meter.expose('*/*')
  expect(plain.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(plain.text).toContain('# TYPE microbank_meter_reports_total counter')
  expect(plain.text).toContain('microbank_batch_size_bucket{service="transfer",le="2"} 0\n')
  expect(plain.text).toContain('microbank_batch_size_bucket{service="transfer",le="4"} 1\n')
  expect(plain.text).toContain('microbank_batch_size_bucket{service="transfer",le="+Inf"} 1\n')
  const open = await meter.expose('application/openmetrics-text; version=1.0.0,text/plain;q=0.5')
  expect(open.contentType).toContain('application/openmetrics-text; version=1.0.0')
  expect(open.text).toContain('# TYPE microbank_meter_reports counter')
  expect(open.text).toMatch(/# EOF\n$/)
})

test('Prometheus sees a new series begin with 0, and a person its value at once', async () => {
  const meter = testMeter()
  const read = async (accept?: string, options = {}) => {
    const { text } = await meter.expose(accept, options)
    const requests = /^http_requests_total\{.*handler="\/x".*\} (\d+)$/m.exec(text)?.[1]
    const durations = /^http_request_duration_seconds_count\{.*handler="\/x".*\} (\d+)$/m.exec(text)?.[1]
    return [requests, durations]
  }
  const scrape = 'application/openmetrics-text; version=1.0.0'
  meter.take(report({ requests: 5 }))
  expect(await read()).toEqual(['5', '5'])
  expect(await read(scrape)).toEqual(['0', '0'])
  expect(await read(scrape)).toEqual(['5', '5'])
  const ending = testMeter()
  ending.take(report({ requests: 5 }))
  const { text } = await ending.expose(scrape, { isLast: true })
  expect(text).toContain(`${REQUESTS} 5\n`)
})

test('over HTTP it says how many points it refused, and what is no report', async () => {
  const { endpoint, close } = await startMeter()
  const post = async (body: string) => {
    const answer = await fetch(endpoint, { method: 'POST', body })
    return [answer.status, await answer.json()] as const
  }
  expect(await post(report())).toEqual([200, {}])
  expect(await post(report({ startMs: 2 }).replace('"2xx"', '"200"'))).toEqual([
    200,
    { partialSuccess: { rejectedDataPoints: '1' } },
  ])
  expect((await post('rubbish'))[0]).toBe(400)
  expect((await post(' '.repeat(5_000_000)))[0]).toBe(413)
  await close()
})

test('a histogram counts a value in the first bucket that holds it', () => {
  const histogram = new Histogram([1, 2])
  for (const value of [0, 1, 1.5, 2, 3]) histogram.observe(value)
  expect([[...histogram.counts], histogram.sum]).toEqual([[2, 2, 1], 7.5])
})

test('a count that is no number is refused, and the meter runs on', () => {
  const meter = testMeter()
  const odd = report().replace(/"bucketCounts":\[[^,\]]+/, '"bucketCounts":[{"toString":1,"valueOf":1}')
  expect(odd).toContain('toString')
  expect(meter.take(odd)).toBe(1)
})

test('if the values can’t be shown, it answers 500', async () => {
  const meter = { take: () => 0, expose: () => Promise.reject(new Error('no values')) }
  const { ports, stop } = await serveMeter(meter, { reports: 0, metrics: 0 })
  const answer = await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)
  expect([answer.status, await answer.text()]).toEqual([500, 'no values\n'])
  await stop(0)
})

test('a report in chunks of one byte takes little memory', async () => {
  const meter = await inOtherProcess<number>(`
    import { Meter } from './monitoring/meter/meter.ts'
    import { serveMeter } from './monitoring/meter/serve.ts'
    import { createLog } from './monitoring/log.ts'
    process.on('message', () => process.send(process.resourceUsage().maxRSS))
    process.on('disconnect', () => process.exit())
    const meter = new Meter({ log: createLog({}, 'off'), version: '1' })
    void serveMeter(meter, { reports: 0, metrics: 0 }).then(({ ports }) => process.send(ports.reports))`)
  const mostKilobytes = () =>
    new Promise<number>((resolve) => {
      meter.child.once('message', (kilobytes) => resolve(kilobytes as number))
      meter.child.send('memory')
    })
  const socket = connect(meter.message, '127.0.0.1')
  try {
    const before = await mostKilobytes()
    socket.write('POST /v1/metrics HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n')
    for (let n = 0; n < 20; n++)
      await new Promise((resolve) => socket.write('1\r\nx\r\n'.repeat(100_000), resolve))
    socket.write('0\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1.1 400 /)
    // The chunks themselves are 2 MB. When they were kept, they took 300 and more.
    expect((await mostKilobytes()) - before).toBeLessThan(150_000)
  } finally {
    socket.destroy()
    meter.child.kill()
  }
})

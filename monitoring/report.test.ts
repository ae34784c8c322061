import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from '../tests/support/until.ts'
import { createLog, linesWritten } from './log.ts'
import { startMeter, testMeter, type TestMeter } from './meter/meter-fixture.ts'
import { createMetrics } from './metrics.ts'
import { startReporter } from './report.ts'

const lines: string[] = []
const log = createLog({}, 'warn', (line) => lines.push(line))
const NEVER_MS = 1_000_000

let meter: TestMeter
beforeEach(async () => {
  lines.length = 0
  meter = await startMeter()
})
afterEach(() => meter.close())

const settings = (endpoint = meter.endpoint) => ({
  ...{ endpoint, headers: {}, gateway: undefined, service: 'transfer', revision: '', log },
})
const options = () => ({ ...settings(), gauges: new Map(), lines: linesWritten })
const reporter = (everyMs = NEVER_MS) => startReporter({ ...options(), everyMs })

async function value(series: string): Promise<number | undefined> {
  const { text } = await meter.meter.expose()
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

const REQUESTS = 'http_requests_total{service="transfer",method="GET",handler="/x",status="2xx"}'

test('a process that is stopped has reported all its requests, its processor time and its start', async () => {
  const metrics = createMetrics(settings())
  for (let i = 0; i < 1_000; i++) metrics.request('GET', '/x', 200, 0.003, 0, 500)
  metrics.request('PROPFIND', 'none', 404, 0.003, 0, 500)
  metrics.count('microbank_calls_total', 'ledger ok')
  metrics.count('microbank_database_errors_total', '40P01')
  metrics.count('microbank_database_errors_total', '23505')
  metrics.gauge('microbank_publish_waiting', () => ({ '': 7 }))
  await metrics.stop()
  expect(await value(REQUESTS)).toBe(1_000)
  expect(
    await value('http_requests_total{service="transfer",method="other",handler="none",status="4xx"}'),
  ).toBe(1)
  expect(await value('http_request_duration_highr_seconds_bucket{service="transfer",le="0.003"}')).toBe(1_001)
  expect(await value('http_request_duration_highr_seconds_bucket{service="transfer",le="0.002"}')).toBe(0)
  expect(await value('microbank_calls_total{service="transfer",target="ledger",outcome="ok"}')).toBe(1)
  expect(await value('microbank_database_errors_total{service="transfer",kind="deadlock"}')).toBe(1)
  expect(await value('microbank_processes_started_total{service="transfer"}')).toBe(1)
  expect(await value('process_cpu_seconds_total{service="transfer"}')).toBeGreaterThan(0)
  expect(await value('microbank_memory_byte_seconds_total{service="transfer"}')).toBeGreaterThan(0)
  // A process that has ended holds no memory and no events.
  expect(await value('process_resident_memory_bytes{service="transfer"}')).toBeUndefined()
  expect(await value('microbank_publish_waiting{service="transfer"}')).toBeUndefined()
  expect(await value('microbank_meter_refused_total{reason="unknown"}')).toBe(0)
  expect(await value('microbank_meter_refused_total{reason="label"}')).toBe(0)
  expect(await value('microbank_meter_refused_total{reason="value"}')).toBe(0)
})

test('a duration carries the newest sampled trace of its bucket, for Prometheus alone', async () => {
  const metrics = createMetrics(settings())
  const [first, newest, slow] = ['a', 'b', 'c'].map((digit) => digit.repeat(32))
  metrics.request('GET', '/x', 200, 0.003, 0, 500, first)
  metrics.request('GET', '/x', 200, 0.004, 0, 500, newest)
  metrics.request('GET', '/x', 200, 0.2, 0, 500, slow)
  metrics.request('GET', '/x', 200, 0.004, 0, 500)
  metrics.request('GET', '/x', 200, 3, 0, 500, 'no "trace"')
  await metrics.stop()
  const buckets = async (accept: string) => {
    const { text } = await meter.meter.expose(accept, { isLast: true })
    return text.split('\n').filter((line) => line.startsWith('http_request_duration_seconds_bucket'))
  }
  const labels = 'service="transfer",method="GET",handler="/x",status="2xx"'
  const marked = (await buckets('application/openmetrics-text')).filter((line) => line.includes('#'))
  expect(marked.map((line) => line.replace(/[0-9.]+$/, '<time>'))).toEqual([
    `http_request_duration_seconds_bucket{${labels},le="0.005"} 3 # {trace_id="${newest}"} 0.004 <time>`,
    `http_request_duration_seconds_bucket{${labels},le="0.25"} 4 # {trace_id="${slow}"} 0.2 <time>`,
  ])
  expect((await buckets('text/plain')).join()).not.toContain('#')
})

test('a process that lives reports regularly, with what it holds now', async () => {
  const living = reporter(20)
  living.tallies.request('GET', '/x', 200, 0.003, 0, 500)
  await until(async () => (await value(REQUESTS)) === 1)
  expect(await value('process_resident_memory_bytes{service="transfer"}')).toBeGreaterThan(1e6)
  expect(await value('nodejs_eventloop_lag_p99_seconds{service="transfer"}')).toBeGreaterThanOrEqual(0)
  living.tallies.request('GET', '/x', 200, 0.003, 0, 500)
  await until(async () => (await value(REQUESTS)) === 2)
  await living.stop()
})

test.each(['take-silently', 'refuse'] as const)(
  'a report that meets a meter in mode %s is sent again unchanged, and counts once',
  async (mode) => {
    meter.mode = mode
    // A refusal is an answer, however late: were it not waited for, its report would come twice. Only silence
    // is cut short, and then the next answer has a second too.
    const answerMs = mode === 'refuse' ? 90_000 : 1_000
    const living = startReporter({ ...options(), everyMs: 20, answerMs })
    living.tallies.request('GET', '/x', 200, 0.003, 0, 500)
    await until(() => meter.reports.length > 0)
    meter.mode = 'take'
    living.tallies.request('GET', '/x', 200, 0.003, 0, 500)
    await until(async () => (await value(REQUESTS)) === 2)
    await living.stop()
    const [first, second] = meter.reports
    expect(second).toBe(first)
    expect(await value(REQUESTS)).toBe(2)
    const repeated = await value('microbank_meter_reports_total{result="repeated"}')
    // On a slow machine the pause may end before the meter changes its mode.
    if (mode === 'refuse') expect(repeated).toBe(0)
    else expect(repeated).toBeGreaterThan(0)
  },
)

test('lines of a log that tell of trouble are counted', async () => {
  const lines = { warn: 2, error: 0 }
  const living = startReporter({ ...options(), lines, everyMs: 20 })
  await until(async () => (await value('microbank_log_lines_total{service="transfer",level="warn"}')) === 2)
  expect(await value('microbank_log_lines_total{service="transfer",level="error"}')).toBe(0)
  Object.assign(lines, { warn: 3, error: 1 })
  await living.stop()
  expect(await value('microbank_log_lines_total{service="transfer",level="warn"}')).toBe(3)
  expect(await value('microbank_log_lines_total{service="transfer",level="error"}')).toBe(1)
})

test('if nobody answers, it says so once, counts on, and gives up after two seconds at the end', async () => {
  await meter.close()
  const living = reporter(10)
  living.tallies.request('GET', '/x', 200, 0.003, 0, 500)
  await until(() => lines.length > 0)
  living.tallies.request('GET', '/x', 200, 0.003, 0, 500)
  // The meter is back.
  meter = await startMeter(testMeter(), meter.port)
  await living.stop()
  expect(await value(REQUESTS)).toBe(2)
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
    'metrics are not taken; they wait',
  ])
})

test('at the end a process waits at most two seconds for a meter that is silent', async () => {
  meter.mode = 'hang'
  const living = reporter()
  living.tallies.request('GET', '/x', 200, 0.003, 0, 500)
  const startedAt = performance.now()
  await living.stop()
  expect(performance.now() - startedAt).toBeGreaterThan(1_900)
  expect(lines.at(-1)).toContain('metrics are lost')
})

test('reports to names of a cluster go through the gateway, without the headers for others', async () => {
  const seen: { host: string | undefined; key: unknown }[] = []
  const server = createServer(({ headers }, response) => {
    seen.push({ host: headers.host, key: headers.key })
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const gateway = { host: '127.0.0.1', port }
  const headers = { key: 'secret' }
  for (const endpoint of [
    'http://meter.monitoring.svc.cluster.local:4318/v1/metrics',
    `http://127.0.0.1:${port}/`,
  ]) {
    const metrics = createMetrics({ ...settings(endpoint), gateway, headers })
    await metrics.stop()
  }
  server.close()
  expect(seen).toEqual([
    { host: 'meter.monitoring.svc.cluster.local:4318', key: undefined },
    { host: `127.0.0.1:${port}`, key: 'secret' },
  ])
})

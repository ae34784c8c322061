import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { boards } from '../../../monitoring/dashboards/boards.ts'
import { folderIdentity } from '../../../knative/local/data-folder/own-files.ts'
import { startFunction, token, type TestFunction } from '../../../tests/support/host.ts'
import { startPrometheus, type TestPrometheus } from '../../../tests/support/prometheus.ts'
import { createLog } from '../../../monitoring/log.ts'
import type { Config } from '../../host/config.ts'
import type { Send } from '../../host/http/send.ts'
import { startPlatform, type TestPlatform } from '../platform-fixture.ts'
import platform from '../platform.ts'
import type { AnsweredPanel, DashboardPicture } from './picture-schema.ts'
import { readPicture } from './read-picture.ts'

/** The dashboards as operators see them, answered by a real Prometheus with known values. */

const NOW = Math.floor(Date.now() / 1000)
const EVERY = 10
const MOMENTS = Array.from({ length: 121 }, (_, n) => NOW - (120 - n) * EVERY)
const SERVICES = Array.from({ length: 14 }, (_, n) => `service-${String.fromCharCode(97 + n)}`)

/** The values of a metric by their labels; undefined where it was not scraped. */
const samples = (name: string, series: Record<string, (n: number) => number | undefined>): string =>
  Object.entries(series)
    .flatMap(([labels, valueAt]) =>
      MOMENTS.flatMap((at, n) => {
        const value = valueAt(n)
        return value === undefined ? [] : [`${name}{${labels}} ${value} ${at}\n`]
      }),
    )
    .join('')

const SCRAPED = [
  samples(
    'microbank_processes',
    Object.fromEntries(
      SERVICES.map((service, n) => [
        `service="${service}",state="ready"`,
        // The last one was away for so long that Prometheus has no value for it then.
        (at: number) => (service === SERVICES.at(-1) && at < 60 ? undefined : n),
      ]),
    ),
  ),
  samples('http_requests_total', {
    'service="service-a",method="GET",handler="/x",status="2xx"': (n) => 20 * n,
    'service="service-b",method="GET",handler="/y",status="4xx"': () => 5,
  }),
  samples('http_request_duration_seconds_sum', {
    'service="service-a",method="GET",handler="/x",status="2xx"': (n) => 10 * n,
    'service="service-b",method="GET",handler="/y",status="4xx"': () => 1,
  }),
  samples('http_request_duration_seconds_count', {
    'service="service-a",method="GET",handler="/x",status="2xx"': (n) => 20 * n,
    'service="service-b",method="GET",handler="/y",status="4xx"': () => 5,
  }),
  samples('microbank_cold_start_seconds_bucket', {
    'service="service-a",phase="boot",le="0.02"': (n) => n,
    'service="service-a",phase="boot",le="0.05"': (n) => 3 * n,
    'service="service-a",phase="boot",le="+Inf"': (n) => 3 * n,
  }),
].join('')

let bank: TestPlatform
let prometheus: TestPrometheus
let asOperator: string
const running: TestFunction[] = []

beforeAll(async () => {
  ;[bank, prometheus] = await Promise.all([startPlatform(), startPrometheus({ values: SCRAPED })])
  asOperator = await token({ userId: randomUUID(), role: 'operator' })
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()))
})
afterAll(() => Promise.all([bank.stop(), prometheus.stop()]))

async function started(env: Record<string, string>): Promise<TestFunction> {
  const each = await startFunction(platform, env, bank.catalogue)
  running.push(each)
  return each
}

async function picture(
  query: string,
  env: Record<string, string> = { PROMETHEUS_URL: prometheus.url },
): Promise<DashboardPicture> {
  const { request } = await started({ ...bank.onCluster, ...env })
  const { status, body } = await request('GET', `/platform/metrics${query}`, { token: asOperator })
  expect([query, status]).toEqual([query, 200])
  return body
}

const panelOf = ({ panels }: DashboardPicture, title: string): AnsweredPanel =>
  panels.find((panel) => panel.title === title)!

test('is for operators alone, and refuses what it does not know', async () => {
  const { request } = await started({ ...bank.onCluster, PROMETHEUS_URL: prometheus.url })
  const customer = await token({ userId: randomUUID() })
  expect((await request('GET', '/platform/metrics')).status).toBe(401)
  expect((await request('GET', '/platform/metrics', { token: customer })).status).toBe(403)
  const ask = async (query: string) =>
    (await request('GET', `/platform/metrics${query}`, { token: asOperator })).status
  // What a caller sends never gets into an expression but as the name of a function.
  for (const bad of ['?query=up', '?range=1y', '?service=.*', '?service=a%22%7D', '?dashboard=..%2Fx'])
    expect([bad, await ask(bad)]).toEqual([bad, 400])
  expect(await ask('?dashboard=none')).toBe(404)
})

test('a picture has the dashboards, its moments, and the functions it can be limited to', async () => {
  const shown = await picture('?dashboard=functions')
  expect(shown).toMatchObject({ why_not: null, dashboard: { uid: 'functions' }, step_seconds: 10 })
  expect(shown.dashboards.map(({ uid }) => uid)).toEqual(boards.map(({ uid }) => uid))
  expect(shown.services).toEqual(SERVICES)
  expect(Date.parse(shown.until) - Date.parse(shown.from)).toBe(900_000)
  expect((await picture('?dashboard=ledger')).services).toBeNull()
})

test('lines have a value or none at each moment; of more than twelve, the highest are there', async () => {
  const {
    series,
    left_out: leftOut,
    kind,
    unit,
  } = panelOf(await picture('?dashboard=functions'), 'Processes')
  expect([kind, unit, series.length, leftOut]).toEqual(['timeseries', 'short', 12, 2])
  expect(series.map(({ labels }) => labels.service)).toEqual(SERVICES.toReversed().slice(0, 12))
  const [gapped, whole] = series
  expect([whole!.legend, whole!.values.length, new Set(whole!.values)]).toEqual([
    '{{service}}',
    91,
    new Set([12]),
  ])
  expect([gapped!.values[0], gapped!.values.at(-1)]).toEqual([null, 13])
})

test('a figure has the value of the last moment, and a heat map all of its buckets', async () => {
  const shown = await picture('?dashboard=functions')
  expect(panelOf(shown, 'Asleep').series).toEqual([{ legend: 'functions at zero', labels: {}, values: [1] }])
  const { kind, series } = panelOf(shown, 'Boot')
  expect([kind, series.map(({ labels }) => labels.le).sort()]).toEqual(['heatmap', ['+Inf', '0.02', '0.05']])
  for (const { values } of series) expect(values).toHaveLength(91)
  // Three in ten seconds, each of which is counted once.
  const all = series.find(({ labels }) => labels.le === '+Inf')!
  expect(all.values[45]).toBeCloseTo(3, 5)
})

test('it is limited to a function, and what can’t be divided has no value', async () => {
  const all = await picture('?dashboard=overview')
  const statuses = (shown: DashboardPicture) =>
    panelOf(shown, 'Answers by status').series.map(({ labels }) => labels.status)
  expect(statuses(all)).toEqual(['2xx', '4xx'])
  expect(panelOf(all, 'Answers by status').series[0]!.values[45]).toBeCloseTo(2, 5)
  expect(statuses(await picture('?dashboard=overview&service=service-b'))).toEqual(['4xx'])
  // service-b answered nothing in all that time: 0 of 0.
  const { series } = panelOf(all, 'Average latency')
  expect(series.map(({ labels, values }) => [labels.service, values[45]])).toEqual([
    ['service-a', expect.closeTo(0.5, 5)],
  ])
})

test('each range has points enough, and a longer one has not more of them', async () => {
  for (const [range, points] of Object.entries({ '1h': 121, '6h': 121, '24h': 121 })) {
    const { series } = panelOf(await picture(`?dashboard=functions&range=${range}`), 'Processes')
    expect([range, series[0]!.values.length]).toEqual([range, points])
  }
})

test('a figure is of now, however long the range is', async () => {
  const asked: URL[] = []
  const body = Buffer.from('{"status":"success","data":{"result":[]}}')
  const tools = {
    config: { PROMETHEUS_URL: 'http://prometheus' } as Config,
    send: (({ url }) => (
      asked.push(new URL(url)),
      Promise.resolve({ status: 200, headers: {}, body })
    )) as Send,
    log: createLog({}, 'off'),
  }
  const now = Date.parse('2026-11-27T10:11:59.500Z')
  const shown = await readPicture(tools, { dashboard: 'functions', range: '24h' }, now)
  expect(shown).toMatchObject({ why_not: null, until: '2026-11-27T10:00:00.000Z' })
  const moments = (path: string, name: string) =>
    new Set(asked.filter(({ pathname }) => pathname === path).map((url) => url.searchParams.get(name)))
  expect(moments('/api/v1/query', 'time')).toEqual(new Set([String(Math.floor(now / 1000))]))
  expect(moments('/api/v1/query_range', 'end')).toEqual(
    new Set([String(Date.parse('2026-11-27T10:00:00Z') / 1000)]),
  )
})

test('a panel that Prometheus refuses to answer says so, and the others are there', async () => {
  const small = await startPrometheus({ values: SCRAPED, options: ['--query.max-samples=100'] })
  try {
    const shown = await picture('?dashboard=functions', { PROMETHEUS_URL: small.url })
    expect(panelOf(shown, 'Processes')).toMatchObject({ failed: true, series: [] })
    expect(panelOf(shown, 'Asleep')).toMatchObject({ failed: false, series: [{ values: [1] }] })
  } finally {
    await small.stop()
  }
})

test('a panel that takes Prometheus too long says so, and the others are there', async () => {
  const one = { status: 'success', data: { resultType: 'vector', result: [{ metric: {}, value: [0, '1'] }] } }
  const late = { status: 'error', errorType: 'timeout', error: 'query timed out in expression evaluation' }
  // As a Prometheus whose courses take for ever: it gives up after the time that it is told.
  const slow = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://any')
    if (pathname === '/api/v1/query') response.end(JSON.stringify(one))
    else if (Number.parseFloat(searchParams.get('timeout') ?? '120') < 10)
      response.writeHead(503).end(JSON.stringify(late))
  })
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve))
  const PROMETHEUS_URL = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`
  try {
    const shown = await picture('?dashboard=functions', { PROMETHEUS_URL })
    expect(panelOf(shown, 'Processes')).toMatchObject({ failed: true, series: [] })
    expect(panelOf(shown, 'Asleep')).toMatchObject({ failed: false, series: [{ values: [1] }] })
  } finally {
    slow.closeAllConnections()
    slow.close()
  }
})

describe('without a Prometheus it says why', () => {
  const none = { panels: [], services: null }

  test('if the setting is empty', async () => {
    expect(await picture('', { PROMETHEUS_URL: '' })).toMatchObject({ ...none, why_not: 'not-set' })
  })

  test('if nobody answers, or somebody else', async () => {
    const other = http.createServer((_request, response) => response.end('Hello'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const PROMETHEUS_URL = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    expect(await picture('', { PROMETHEUS_URL })).toMatchObject({ ...none, why_not: 'no-answer' })
    other.closeAllConnections()
    await new Promise((resolve) => other.close(resolve))
    expect(await picture('', { PROMETHEUS_URL })).toMatchObject({ ...none, why_not: 'no-answer' })
  })

  test('on a laptop, if no monitor watches this bank', async () => {
    const { dataDir } = bank.runtime
    const PROMETHEUS_URL = 'http://prometheus.monitoring.svc.cluster.local:9090'
    const onLaptop = () => picture('?dashboard=functions', { ...bank.onLaptop, PROMETHEUS_URL })
    const watch = (change: object) => {
      mkdirSync(join(dataDir, 'monitoring'), { recursive: true })
      const told = { port: prometheus.port, pid: process.pid, folder: folderIdentity(dataDir), ...change }
      writeFileSync(join(dataDir, 'monitoring/prometheus.json'), JSON.stringify(told))
    }
    expect((await onLaptop()).why_not).toBe('no-monitor')
    watch({})
    const shown = await onLaptop()
    expect(panelOf(shown, 'Processes').series).toHaveLength(12)
    // What only a cluster has is left out.
    expect(boards.flatMap(({ panels }) => panels).some(({ clusterOnly }) => clusterOnly)).toBe(true)
    // A copy of the folder, a monitor that was killed, and one whose Prometheus has ended.
    watch({ folder: '1:1' })
    expect((await onLaptop()).why_not).toBe('no-monitor')
    watch({ pid: 2 ** 22 + 1 })
    expect((await onLaptop()).why_not).toBe('no-monitor')
    watch({ port: 1 })
    expect((await onLaptop()).why_not).toBe('no-answer')
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildOnce } from '../tests/support/built.ts'
import { certificate } from '../tests/support/certificate.ts'
import { startPrometheus, type TestPrometheus } from '../tests/support/prometheus.ts'
import { until } from '../tests/support/until.ts'
import { withBundle } from './bundle-fixture.ts'
import { startMeter, type TestMeter } from './meter/meter-fixture.ts'

/** Functions, as the bundles that ship, whose processes end before Prometheus has scraped twice. */

const FUNCTIONS = { accounts: '/accounts', entries: '/accounts/01936f0a-9011-7c55-8f0e-6f2a7c1d2e33/entries' }
const PROCESSES = 5
const REQUESTS = 100

let meter: TestMeter
let prometheus: TestPrometheus
beforeAll(async () => {
  await buildOnce()
  meter = await startMeter()
  prometheus = await startPrometheus({ scraped: meter.port })
})
afterAll(() => Promise.all([meter?.close(), prometheus?.stop()]))

/** Starts a process, sends it REQUESTS requests, and ends it as Knative does. */
const live = (name: string, path: string): Promise<void> =>
  withBundle(
    name,
    { env: { K_SERVICE: name, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: meter.endpoint } },
    async (ask) => {
      await until(() => ask('/healthz'))
      for (let n = 0; n < REQUESTS; n++) expect((await ask(path)).status).toBe(401)
    },
  )

test('1,000 requests to ten processes that lived for a moment are 1,000 in Prometheus', async () => {
  const turns = Object.entries(FUNCTIONS).map(async ([name, path]) => {
    for (let n = 0; n < PROCESSES; n++) await live(name, path)
  })
  await Promise.all(turns)
  const all = 'sum(http_requests_total{status="4xx"})'
  // What is counted is known; only the scrape is waited for.
  await until(async () => (await prometheus.value(all))! >= 1_000, { what: 'the last scrape' })
  expect(await prometheus.value(all)).toBe(1_000)
  expect(await prometheus.value('sum(microbank_processes_started_total)')).toBe(10)
  for (const service of Object.keys(FUNCTIONS))
    expect(await prometheus.value(`process_cpu_seconds_total{service="${service}"}`)).toBeGreaterThan(0)
})

test('a process reports to a backend elsewhere over TLS', async () => {
  const { key, cert } = certificate()
  const reports: string[] = []
  const backend = createServer({ key, cert }, (request, response) => {
    request.on('data', (chunk: Buffer) => reports.push(chunk.toString()))
    request.on('end', () => response.end())
  })
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  const { port } = backend.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), 'microbank-backend-'))
  writeFileSync(join(folder, 'cert.pem'), cert)
  const env = {
    K_SERVICE: 'accounts',
    NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem'),
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `https://localhost:${port}/v1/metrics`,
  }
  // A process that ends gives its last report two seconds, which may be too few for a busy machine.
  await until(
    async () => {
      await withBundle('accounts', { env }, (ask) => until(() => ask('/healthz')))
      return reports.join('').includes('microbank_processes_started_total')
    },
    { what: 'a report over TLS' },
  )
  backend.close()
  rmSync(folder, { recursive: true })
})

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { takePort } from '../knative/local/processes/ports.ts'
import { buildOnce } from '../tests/support/built.ts'
import { callKey, request, signingKey } from '../tests/support/host.ts'
import { startPrometheus, type TestPrometheus } from '../tests/support/prometheus.ts'
import { ROOT } from '../tests/support/repository.ts'
import { until } from '../tests/support/until.ts'
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
async function live(name: string, path: string): Promise<void> {
  const port = await takePort()
  const child = spawn(process.execPath, [join(ROOT, `dist/functions/${name}.cjs`)], {
    env: {
      PORT: String(port),
      K_SERVICE: name,
      LOG_LEVEL: 'off',
      JWKS: signingKey.jwks,
      CALL_KEYS: callKey.publicJwks,
      LEDGER_DATABASE_URL: 'postgres://x:y@127.0.0.1:9/x',
      LEDGER_EVENT_KEY: 'a key that is only good for tests, no more',
      FRONT_DOOR_KEY: 'another key that is only good for tests',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: meter.endpoint,
    },
    stdio: 'inherit',
  })
  try {
    const ask = (at: string) => request('GET', `http://127.0.0.1:${port}${at}`)
    await until(() => ask('/healthz'))
    for (let n = 0; n < REQUESTS; n++) expect((await ask(path)).status).toBe(401)
    child.kill('SIGTERM')
    await until(() => child.exitCode !== null, { what: 'the process to end' })
  } finally {
    child.kill('SIGKILL')
  }
}

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

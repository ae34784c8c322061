import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { MeterPorts } from '../../monitoring/meter/serve.ts'
import { encodeReport } from '../../monitoring/otlp-metrics.ts'
import { Tallies } from '../../monitoring/tallies.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { bundle } from '../../tests/support/other-process.ts'
import { until } from '../../tests/support/until.ts'

/** The meter as the process that a cluster runs, with a real Postgres. */

let program: Awaited<ReturnType<typeof bundle>>
let identity: TestDatabase
let frontDoor: Server
const probed: string[] = []

beforeAll(async () => {
  program = await bundle("import './knative/meter/main.ts'")
  identity = await testDatabase('identity')
  frontDoor = createServer(({ url, headers }, response) => {
    probed.push(`${headers.host} ${url}`)
    response.end()
  })
  await new Promise<void>((resolve) => frontDoor.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  frontDoor.close()
  await Promise.all([program.remove(), identity.drop()])
})

async function startMeter() {
  const { port } = frontDoor.address() as AddressInfo
  const child = spawn(process.execPath, [program.file, `http://127.0.0.1:${port}`], {
    env: {
      IDENTITY_DATABASE_METER_URL: identity.meterUrl,
      REPORTS_PORT: '0',
      METRICS_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = once(child, 'exit') as Promise<[code: number | null]>
  const { reports, metrics } = await until(
    () => (JSON.parse(output.split('\n')[0]!) as { ports?: MeterPorts }).ports,
    { what: 'the meter’s ports' },
  )
  const url = `http://127.0.0.1:${metrics}`
  return {
    child,
    ended,
    output: () => output,
    report: (startMs: number) =>
      fetch(`http://127.0.0.1:${reports}/v1/metrics`, { method: 'POST', body: report(startMs) }),
    get: (path: string) => fetch(`${url}${path}`),
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
  }
}

function report(startMs: number): string {
  const tallies = new Tallies()
  tallies.request('GET', '/x', 200, 0.003, 0, 500)
  return encodeReport({
    resource: { 'service.name': 'transfer', 'service.instance.id': 'a' },
    ...{ startMs, timeMs: startMs + 1, tallied: tallies.take(), gauges: new Map() },
  })
}

/** What `promtool check metrics` says of the names and the form of metrics. */
function promtoolOn(text: string): string {
  const { stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  })
  if (error) throw error
  return stdout + stderr
}

const counted = (text: string): string | undefined =>
  /^http_requests_total\{service="transfer",method="GET",handler="\/x",status="2xx"\} (\d+)$/m.exec(text)?.[1]

test('shows reports, facts and the front door, and after SIGTERM takes no report but is read once more', async () => {
  const meter = await startMeter()
  expect((await meter.report(1)).status).toBe(200)
  await until(async () => (await meter.metrics()).includes('pg_up{context="identity"} 1'))
  const text = await meter.metrics()
  expect(counted(text)).toBe('1')
  expect(text).toContain('microbank_users{role="customer"} 0')
  expect(text).toContain('microbank_probe_success{target="front-door"} 1')
  expect(probed.at(-1)).toMatch(/^127\.0\.0\.1:\d+ \/healthz$/)
  expect((await meter.get('/v1/metrics')).status).toBe(404)

  // Some are still taken, and answered, before the port closes.
  let taken = 1
  meter.child.kill('SIGTERM')
  await until(
    () =>
      meter.report(taken + 1).then(
        ({ status }) => void (taken += Number(status === 200)),
        () => true,
      ),
    { what: 'the port of reports to close' },
  )
  expect(meter.child.exitCode).toBeNull()
  // The kubelet's probe is no scrape.
  expect((await meter.get('/healthz')).status).toBe(200)
  const last = await meter.metrics()
  expect(counted(last)).toBe(String(taken))
  expect(last).toContain('microbank_processes_started_total{service="meter"} 1')
  expect(promtoolOn(last)).toBe('')
  expect(await meter.ended).toEqual([0, null])
  expect(meter.output()).not.toContain('nobody read')
})

test('a port that is taken ends it with a sentence', async () => {
  const { port } = frontDoor.address() as AddressInfo
  const child = spawn(process.execPath, [program.file], {
    env: { REPORTS_PORT: String(port), METRICS_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  expect(await once(child, 'close')).toEqual([1, null])
  expect(output).toContain('EADDRINUSE')
})

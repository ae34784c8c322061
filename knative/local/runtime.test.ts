import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createLog } from '../../monitoring/log.ts'
import { inOtherProcess } from '../../tests/support/other-process.ts'
import { until } from '../../tests/support/until.ts'
import { startedAt } from './data-folder/process-identity.ts'
import { startRuntime, type RuntimeOptions } from './runtime.ts'
import type { RuntimeStatus } from './status.ts'
import { statusTables } from './status-tables.ts'
import { call, folderWith, server, serviceYaml } from './gateway/gateway-fixture.ts'

const BROKER = `runtime-test-${process.pid}`

/**
 * Publishes an event for every request, through the gateway, as functions do. Publishes once more when it
 * ends.
 */
const caller = `
  const [host, port] = process.env.LOCAL_GATEWAY.split(':')
  const publish = (id) => new Promise((resolve, reject) => require('node:http').request({
    host, port, method: 'POST',
    headers: {
      host: '${BROKER}-broker-ingress.bank.svc.cluster.local', 'content-type': 'application/json',
      'ce-specversion': '1.0', 'ce-id': id, 'ce-type': 'thing.happened', 'ce-source': '/test',
    },
  }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode))).on('error', reject).end(JSON.stringify({ id })))
  ${server(`response.end(String(await publish(body.toString())))`)}
  process.on('SIGTERM', async () => {
    require('node:fs').writeFileSync(__dirname + '/farewell', String(await publish('farewell')))
    process.exit(0)
  })`

const consumer = server(`
  require('node:fs').appendFileSync(__dirname + '/seen', body.toString())
  response.writeHead(202).end()`)

const EVENTING = `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: ${BROKER} }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: consumer }
spec:
  broker: ${BROKER}
  filter: { attributes: { type: thing.happened } }
  subscriber: { ref: { kind: Service, name: consumer }, uri: /events }
`

const repository = () =>
  folderWith({
    'bundles/caller.cjs': caller,
    'bundles/consumer.cjs': consumer,
    'knative/services/caller.yaml': serviceYaml({
      name: 'caller',
      script: '',
      annotations: { window: '60s' },
    }),
    'knative/services/consumer.yaml': serviceYaml({
      ...{ name: 'consumer', script: '' },
      labels: { 'networking.knative.dev/visibility': 'cluster-local' },
    }),
    'eventing/events.yaml': EVENTING,
  })

let folder: ReturnType<typeof folderWith>
beforeEach(() => {
  folder = repository()
})
afterEach(() => folder.remove())

const options = (change: Partial<RuntimeOptions> = {}): RuntimeOptions => ({
  root: folder.path,
  bundles: `${folder.path}/bundles`,
  dataDir: `${folder.path}/data`,
  port: 0,
  hosts: ['127.0.0.1'],
  env: { PATH: process.env.PATH, AMQP_URL: process.env.TEST_AMQP_URL },
  log: createLog({}, 'error'),
  ...change,
})

const publish = (port: number, body: string) =>
  call(port, { method: 'POST', headers: { host: 'caller.microbank.localhost' }, body })

test('E8: a request goes to a function, its event through the Broker to another, and the status shows both', async () => {
  const runtime = await startRuntime(options())
  try {
    expect((await publish(runtime.port, 'one')).text).toBe('202')
    await until(() => readFileSync(`${folder.path}/bundles/seen`, 'utf8') === '{"id":"one"}')
    const running = JSON.parse(readFileSync(`${runtime.dataDir}/runtime.json`, 'utf8'))
    expect(running).toMatchObject({ pid: process.pid, port: runtime.port, url: runtime.url })
    const headers = { host: 'runtime.microbank.localhost' }
    // While RabbitMQ is slow to answer, the Broker is not ready.
    const status = await until(async () => {
      const told = (await call(running.internalPort, { path: '/status', headers })).json<RuntimeStatus>()
      return told.brokers[0]!.ready && told
    })
    expect(status).toMatchObject({
      queue: expect.stringContaining('AMQP_URL'),
      services: [
        {
          name: 'caller',
          ready: true,
          processes: 1,
          coldStarts: 1,
          url: expect.stringMatching(/^http:\/\/caller\.microbank/),
        },
        { name: 'consumer', ready: true, coldStarts: 1, url: 'http://consumer.bank.svc.cluster.local' },
      ],
      brokers: [{ name: BROKER, ready: true, triggers: [{ name: 'consumer', ready: true }] }],
    })
    expect(statusTables(status)).toMatch(/^caller +True +1 +0\/10 +0 +http/m)
    expect(statusTables(status)).toMatch(/^caller +1 +\d+ +\d+ +- +- +\d+ +- +\d+$/m)
    const { text } = await call(runtime.port, { path: '/metrics', headers })
    expect(text).toMatch(/^microbank_cold_start_seconds_count{service="caller",phase="first-request"} 1$/m)
    await tellsOfItself(async (path) => (await call(running.internalPort, { path, headers })).json())
  } finally {
    await runtime.stop()
  }
})

/** What only the runtime knows: how functions started, what Triggers deliver, and the ends of logs. */
async function tellsOfItself(ask: (path: string) => Promise<Record<string, unknown>>): Promise<void> {
  const known = await until(async () => {
    const told = await ask('/cold-starts')
    return typeof told.bareNodeMs === 'number' && told
  })
  expect(known).toMatchObject({ starts: [{ service: 'consumer' }, { service: 'caller' }] })
  const { boundsMs, series } = known.histograms as { boundsMs: number[]; series: { counts: number[] }[] }
  expect(series).toContainEqual(expect.objectContaining({ service: 'caller', phase: 'spawn' }))
  expect(series[0]!.counts).toHaveLength(boundsMs.length + 1)

  type Rated = { triggers: { rate: { delivered: number[] } }[] }[]
  const delivered = await until(async () => {
    const { brokers } = await ask('/events')
    const { rate } = (brokers as Rated)[0]!.triggers[0]!
    return rate.delivered.reduce((sum, count) => sum + count)
  })
  expect(delivered).toBe(1)

  const line = { atMs: expect.any(Number), text: expect.stringContaining('"cold start"') }
  await until(async () => {
    const { lines } = await ask('/logs?service=caller&level=info&limit=1')
    expect(lines).toEqual([line])
    return true
  })
  expect(await ask('/logs?service=../runtime')).toMatchObject({ status: 404 })
}

test('the front door counts as up on whatever address of this machine the bank listens', async () => {
  const script = server('response.end()')
  writeFileSync(`${folder.path}/bundles/front-door.cjs`, script)
  writeFileSync(
    `${folder.path}/knative/services/front-door.yaml`,
    serviceYaml({ name: 'front-door', script }),
  )
  // Linux has all of 127.0.0.0/8; elsewhere another address of this machine is that of IPv6.
  const hosts = [process.platform === 'linux' ? '127.0.0.2' : '::1']
  const runtime = await startRuntime(options({ hosts }))
  try {
    const headers = { host: 'runtime.microbank.localhost' }
    const { text } = await call(runtime.internalPort, { path: '/metrics', headers })
    expect(text).toContain('microbank_probe_success{target="front-door"} 1')
  } finally {
    await runtime.stop()
  }
})

test('the data folder and all in it is closed to others, even if it was open before', async () => {
  const first = await startRuntime(options())
  await first.stop()
  for (const path of ['', '/logs', '/processes']) chmodSync(`${folder.path}/data${path}`, 0o777)
  const runtime = await startRuntime(options())
  try {
    const open = readdirSync(runtime.dataDir).filter(
      (name) => (statSync(`${runtime.dataDir}/${name}`).mode & 0o077) !== 0,
    )
    expect(open).toEqual([])
    expect(statSync(runtime.dataDir).mode & 0o067).toBe(0)
  } finally {
    await runtime.stop()
  }
})

test('a folder that is not a data folder keeps its permissions', async () => {
  const dataDir = `${folder.path}/shared`
  mkdirSync(dataDir)
  writeFileSync(`${dataDir}/of-others`, '')
  chmodSync(dataDir, 0o755)
  const runtime = await startRuntime(options({ dataDir }))
  await runtime.stop()
  expect(statSync(dataDir).mode & 0o777).toBe(0o755)
})

test('a stop lets functions publish until they end, and leaves no process and no lock', async () => {
  const runtime = await startRuntime(options())
  await publish(runtime.port, 'one')
  expect((await runtime.status()).services[0]!.processes).toBe(1)
  await runtime.stop()
  expect(readFileSync(`${folder.path}/bundles/farewell`, 'utf8')).toBe('202')
  expect(existsSync(`${runtime.dataDir}/lock`)).toBe(false)
  expect(existsSync(`${runtime.dataDir}/runtime.json`)).toBe(false)
  await expect(publish(runtime.port, 'two')).rejects.toThrow(/ECONNREFUSED/)
})

test('a start that fails stops what it had started, and the next one works', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as { port: number }
  const said: string[] = []
  const start = startRuntime(options({ port, onProgress: (sentence) => void said.push(sentence) }))
  await expect(start).rejects.toThrow(`Port ${port} is taken by another program.`)
  // It didn't make the person wait for databases first.
  expect(said).toEqual([])
  await new Promise((resolve) => taken.close(resolve))
  const runtime = await startRuntime(options({ port }))
  await expect(startRuntime(options())).rejects.toThrow(
    /already runs on the data folder .*: process \d+, at http/,
  )
  await runtime.stop()
})

test('a missing bundle, Secret or Broker stops the start with a sentence', async () => {
  writeFileSync(`${folder.path}/knative/services/x.yaml`, serviceYaml({ name: 'x', script: '' }))
  await expect(startRuntime(options())).rejects.toThrow(/x.yaml: Service x runs x, but .*x.cjs is missing/)
  writeFileSync(`${folder.path}/eventing/events.yaml`, EVENTING.replace(`broker: ${BROKER}`, 'broker: other'))
  await expect(startRuntime(options())).rejects.toThrow(
    `Trigger consumer: spec.broker is "other"; expected ${BROKER}`,
  )
})

test('the next start stops what a killed runtime left, and takes the data folder', async () => {
  const { child, message } = await inOtherProcess<number>(`
    import { createLog } from './monitoring/log.ts'
    import { startRuntime } from './knative/local/runtime.ts'
    void startRuntime({ ...${JSON.stringify(options())}, log: createLog({}, 'error') }).then((runtime) => process.send(runtime.port))`)
  await publish(message, 'one')
  const left = readdirSync(`${folder.path}/data/processes`).map((name) => Number.parseInt(name))
  expect(left.length).toBeGreaterThan(0)
  child.kill('SIGKILL')
  await until(() => !startedAt(child.pid!))
  expect(left.every((pid) => startedAt(pid))).toBe(true)

  const said: string[] = []
  const runtime = await startRuntime(options({ onProgress: (sentence) => said.push(sentence) }))
  expect(said).toContainEqual(expect.stringMatching(/stopped caller \(process \d+\), left by an earlier run/))
  expect(left.filter((pid) => startedAt(pid))).toEqual([])
  await runtime.stop()
})

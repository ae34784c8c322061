import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createLog } from '../../../monitoring/log.ts'
import { until } from '../../../tests/support/until.ts'
import { startRabbitmq, type RabbitmqNode } from '../servers/rabbitmq.ts'
import { startRuntime, type Runtime } from '../runtime.ts'
import { call, folderWith, server, serviceYaml } from '../gateway/gateway-fixture.ts'

/**
 * A small but complete bank, read with the real clients. If a client is not installed, its tests are reported
 * as skipped, with the reason.
 */
const withKubectl = testWith('kubectl', ['version', '--client'])
const withKn = testWith('kn', ['version'])

function testWith(command: string, args: string[]) {
  const isInstalled = spawnSync(command, args, { stdio: 'ignore' }).status === 0
  return (name: string, run: () => Promise<void>, timeoutMs?: number): void =>
    isInstalled ? test(name, run, timeoutMs) : test.skip(`${name} (${command} is not installed)`, run)
}

const EVENTING = `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: default, namespace: bank, annotations: { eventing.knative.dev/broker.class: RabbitMQBroker } }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: thing, namespace: bank }
spec:
  broker: default
  filter: { attributes: { type: thing.happened } }
  subscriber: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: sound }, uri: /events }
---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: { name: monthly, namespace: bank }
spec:
  schedule: 0 0 1 * *
  sink: { ref: { apiVersion: serving.knative.dev/v1, kind: Service, name: sound }, uri: /events }
---
apiVersion: eventing.knative.dev/v1beta2
kind: EventType
metadata: { name: thing.happened, namespace: bank }
spec:
  type: thing.happened
  source: /test
  reference: { apiVersion: eventing.knative.dev/v1, kind: Broker, name: default }
`

const PATCHES = `
resources: [crashing.yaml, sound.yaml]
patches:
  - target: { kind: Service, name: sound }
    patch: |
      - { op: add, path: /spec/template/spec/containers/0/resources, value: { limits: { memory: 256Mi } } }
`

const CRASHING = "console.error('no such account book'); process.exit(3)"

let home: string
let node: RabbitmqNode
let folder: ReturnType<typeof folderWith>
let runtime: Runtime

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'microbank-kubectl-'))
  node = await startRabbitmq({ dataDir: join(home, 'rabbitmq') })
  const services = { sound: server('response.end()'), crashing: CRASHING }
  folder = folderWith({
    'eventing/events.yaml': EVENTING,
    'knative/services/kustomization.yaml': PATCHES,
    ...Object.fromEntries(
      Object.entries(services).flatMap(([name, script]) => [
        [`bundles/${name}.cjs`, script],
        [`knative/services/${name}.yaml`, serviceYaml({ name, script, annotations: { window: '60s' } })],
      ]),
    ),
  })
  runtime = await startRuntime({
    ...{ root: folder.path, bundles: `${folder.path}/bundles`, dataDir: join(home, 'data') },
    ...{ port: 0, kubernetesPort: 0, hosts: ['127.0.0.1'], log: createLog({}, 'error', () => {}) },
    env: { PATH: process.env.PATH, AMQP_URL: node.url },
  })
})
afterAll(async () => {
  await runtime?.stop()
  await node?.stop()
  folder?.remove()
  rmSync(home, { recursive: true, force: true })
})

const run = async (command: string, line: string): Promise<string> => {
  const env = { PATH: process.env.PATH, HOME: home, KUBECONFIG: runtime.kubeconfig }
  return (await promisify(execFile)(command, line.split(' '), { env })).stdout
}
const kubectl = (line: string): Promise<string> => run('kubectl', line)

/** Rows of a table by their first column, and the headings, which may contain spaces. */
const table = (text: string) => {
  const [head = '', ...rows] = text.trimEnd().split('\n')
  return { head: head.trim().split(/ {2,}/), rows: rows.map((row) => row.trim().split(/ {2,}/)) }
}

const invoke = (service: string) =>
  call(runtime.port, { headers: { host: `${service}.microbank.localhost` } })

withKubectl('kubectl prints Services with the same columns as on Knative', async () => {
  const { head, rows } = table(await kubectl('get ksvc sound'))
  expect(head).toEqual(['NAME', 'URL', 'LATESTCREATED', 'LATESTREADY', 'READY', 'REASON'])
  const url = `http://sound.microbank.localhost:${runtime.port}`
  expect(rows).toEqual([['sound', url, 'sound-00001', 'sound-00001', 'True']])
})

withKubectl('kubectl prints eventing’s objects and Revisions as on Knative', async () => {
  const host = 'bank.svc.cluster.local'
  expect(table(await kubectl('get brokers'))).toEqual({
    head: ['NAME', 'URL', 'AGE', 'READY', 'REASON'],
    rows: [['default', `http://default-broker-ingress.${host}`, expect.stringMatching(/^\d+(s|m)/), 'True']],
  })
  expect(table(await kubectl('get triggers'))).toEqual({
    head: ['NAME', 'BROKER', 'SUBSCRIBER_URI', 'AGE', 'READY', 'REASON'],
    rows: [['thing', 'default', `http://sound.${host}/events`, expect.any(String), 'True']],
  })
  expect(table(await kubectl('get revisions')).head).toEqual([
    ...['NAME', 'CONFIG NAME', 'GENERATION', 'READY', 'REASON', 'ACTUAL REPLICAS', 'DESIRED REPLICAS'],
  ])
  expect(table(await kubectl('get pingsources')).rows).toEqual([
    ['monthly', `http://sound.${host}/events`, '0 0 1 * *', expect.any(String), 'True'],
  ])
  expect(table(await kubectl('get eventtypes'))).toEqual({
    head: ['NAME', 'TYPE', 'SOURCE', 'REFERENCE NAME', 'REFERENCE KIND', 'DESCRIPTION', 'READY', 'REASON'],
    rows: [['thing.happened', 'thing.happened', '/test', 'default', 'Broker', 'True']],
  })
  const together = await kubectl('get ksvc,brokers,triggers')
  for (const name of ['service.serving.knative.dev/sound', 'broker.eventing.knative.dev/default'])
    expect(together).toContain(name)
})

withKubectl('an object is its patched manifest with its present status', async () => {
  const sound = JSON.parse(await kubectl('get ksvc sound -o json'))
  expect(sound.spec.template.spec.containers).toEqual([
    { image: 'microbank', args: ['sound'], resources: { limits: { memory: '256Mi' } } },
  ])
  expect(
    sound.status.conditions.map(({ type, status }: Record<string, string>) => `${type} ${status}`),
  ).toEqual(['ConfigurationsReady True', 'Ready True', 'RoutesReady True'])
  expect(await kubectl('describe trigger thing')).toContain('SubscriberResolved')
  expect(await kubectl('wait --for=condition=Ready ksvc/sound --timeout=90s')).toContain('condition met')
})

withKubectl('a revision says whether it has a process', async () => {
  const replicas = () =>
    kubectl('get revision sound-00001 -o jsonpath={.status.actualReplicas}/{.status.desiredReplicas}')
  const active = () =>
    kubectl('get revision sound-00001 -o jsonpath={.status.conditions[?(@.type=="Active")].reason}')
  expect([await replicas(), await active()]).toEqual(['0/', 'NoTraffic'])
  expect((await invoke('sound')).status).toBe(200)
  expect([await replicas(), await active()]).toEqual(['1/1', ''])
})

withKubectl('a function that ends as soon as it starts is not ready, and says why', async () => {
  await invoke('crashing')
  const [row] = table(await kubectl('get ksvc crashing')).rows
  expect(row!.slice(-2)).toEqual(['False', 'RevisionMissing'])
  const status = JSON.parse(await kubectl('get revision crashing-00001 -o json')).status
  const healthy = status.conditions.find(({ type }: { type: string }) => type === 'ContainerHealthy')
  expect(healthy).toMatchObject({
    ...{ status: 'False', reason: 'ExitCode3' },
    message: expect.stringContaining('no such account book'),
  })
})

withKubectl('every change is refused', async () => {
  const readOnly = 'Kubernetes API is read-only'
  await expect(kubectl('delete ksvc sound')).rejects.toThrow(readOnly)
  for (const file of ['knative/services/sound.yaml', 'eventing/events.yaml'])
    await expect(kubectl(`apply -f ${folder.path}/${file}`)).rejects.toThrow(readOnly)
  expect(await kubectl('get ksvc sound -o name')).toContain('sound')
})

withKubectl('a Broker and its Triggers are ready only while RabbitMQ answers', async () => {
  const ready = async () =>
    (await kubectl(
      'get brokers,triggers -o jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}',
    )) + ` ${await kubectl('get trigger thing -o jsonpath={.status.conditions[?(@.type=="Ready")].reason}')}`
  await until(async () => (await ready()) === 'True True ')
  const { port } = node
  await node.stop()
  await until(async () => (await ready()) === 'False False ExchangeFailure')
  node = await startRabbitmq({ dataDir: join(home, 'rabbitmq'), port })
  await until(async () => (await ready()) === 'True True ')
})

withKn('kn lists Services, Brokers, Triggers, EventTypes and sources', async () => {
  expect(await run('kn', 'service list')).toMatch(/^sound .* 3 OK \/ 3 +True/m)
  expect(await run('kn', 'broker list')).toMatch(/^default .* 8 OK \/ 8 +True/m)
  expect(await run('kn', 'trigger list')).toMatch(/^thing +default .* 7 OK \/ 7 +True/m)
  expect(await run('kn', 'source ping list')).toMatch(/^monthly .*ksvc:sound .*True/m)
  expect(await run('kn', 'source list')).toMatch(/^monthly +PingSource .*True/m)
  expect(await run('kn', 'eventtype list')).toMatch(/^thing.happened .*True/m)
})

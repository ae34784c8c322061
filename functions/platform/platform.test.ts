import { randomUUID } from 'node:crypto'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { startPlatform, type TestPlatform } from './platform-fixture.ts'
import platform from './platform.ts'
import { topologyOf } from './topology.ts'

/** The platform's functions over the Kubernetes API of the local runtime, with the bank's own manifests. */

let bank: TestPlatform
let local: TestFunction
let onCluster: TestFunction
let asOperator: string

beforeAll(async () => {
  bank = await startPlatform()
  local = await startFunction(platform, bank.onLaptop, bank.catalogue)
  onCluster = await startFunction(platform, bank.onCluster, bank.catalogue)
  asOperator = await token({ userId: randomUUID(), role: 'operator' })
})
beforeEach(() => bank.reset())
afterAll(async () => {
  await local.stop()
  await onCluster.stop()
  await bank.stop()
})

const get = (path: string, running = local) => running.request('GET', path, { token: asOperator })
const topology = async (running = local) => (await get('/platform/topology', running)).body
const functionIn = async (name: string, running = local) =>
  (await topology(running)).functions.find((each: { name: string }) => each.name === name)

test('is for operators alone', async () => {
  for (const path of ['/platform', '/platform/topology', '/platform/functions/transfer']) {
    expect([path, (await local.request('GET', path)).status]).toEqual([path, 401])
    const customer = await token({ userId: randomUUID() })
    expect([path, (await local.request('GET', path, { token: customer })).status]).toEqual([path, 403])
  }
  expect((await get('/platform/topology?x=1')).status).toBe(400)
})

test('says what it runs on', async () => {
  expect((await get('/platform')).body).toEqual({
    ...{ runtime: 'local', version: expect.any(String), lab: true, traces: true, logs: true },
  })
  expect((await get('/platform', onCluster)).body).toMatchObject({
    ...{ runtime: 'cluster', lab: false, traces: false, logs: false },
  })
})

test('shows every function of the manifests, with its context and scale', async () => {
  const { functions, databases, runtime } = await topology()
  expect(functions).toHaveLength(bank.manifests.services.length)
  expect(runtime).toBe('local')
  expect(databases).toContain('ledger')
  expect(functions.find((each: { name: string }) => each.name === 'transfer')).toEqual({
    ...{ name: 'transfer', context: 'ledger', is_public: true, state: 'zero', reason: null },
    ...{ processes: 0, starting: 0, min_scale: 0, max_scale: 10, concurrency: 200 },
    ...{ in_flight: 0, held: 0, cold_starts: 0, last_start: null },
  })
})

test.each([
  [{ held: 1, starting: 1, wanted: 1 }, 'starting'],
  [{ processes: 2 }, 'ready'],
  [{ processes: 2, inFlight: 3 }, 'busy'],
  [{ ready: false, reason: 'ended with code 3: no account book' }, 'failing'],
] as const)('%j is %s', async (change, state) => {
  bank.set('transfer', change)
  expect(await functionIn('transfer')).toMatchObject({ state })
})

test('says why a function fails, and how it started last', async () => {
  bank.set('transfer', { ready: false, reason: 'ended with code 3: no account book' })
  bank.set('accounts', {
    processes: 1,
    coldStarts: 4,
    lastColdStart: { spawnMs: 10, portOpenMs: 40, bootMs: 22, loadMs: 17, firstRequestMs: 8 },
  })
  expect((await functionIn('transfer')).reason).toContain('no account book')
  const { last_start: start, cold_starts: count } = await functionIn('accounts')
  expect([count, start.total_ms, start.first_query_ms]).toEqual([4, 58, null])
})

test('on a cluster, what only a runtime counts is null, and processes come from the revisions', async () => {
  bank.set('transfer', { processes: 1, wanted: 3, inFlight: 2, coldStarts: 1 })
  expect(await functionIn('transfer', onCluster)).toMatchObject({
    ...{ state: 'ready', processes: 1, starting: 2, in_flight: null, held: null, cold_starts: null },
  })
  const { triggers, runtime } = await topology(onCluster)
  expect(runtime).toBe('cluster')
  expect(triggers[0]).toMatchObject({ backlog: null, dead_letters: null, delivered: null })
})

test('a process of an old revision is not taken for one that the new revision waits for', () => {
  const object = (name: string, more: object) => ({
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      labels: { 'serving.knative.dev/service': 'transfer' },
    },
    ...more,
  })
  const revision = (name: string, actualReplicas: number, desiredReplicas: number) =>
    object(name, { status: { actualReplicas, desiredReplicas } })
  const objects = {
    services: [object('transfer', { spec: { template: { spec: {} } } })],
    revisions: [revision('transfer-00001', 1, 0), revision('transfer-00002', 0, 2)],
    ...{ brokers: [], triggers: [], pingsources: [] },
  }
  const { functions } = topologyOf({ objects, report: undefined, catalogue: [], now: new Date() })
  expect(functions).toEqual([expect.objectContaining({ state: 'ready', processes: 1, starting: 2 })])
})

test('shows each Trigger with its filter, its consumer, its sink and what waits', async () => {
  const waiting = bank.trigger('send-email')
  Object.assign(waiting, { backlog: 7, deadLetters: 2, delivered: 40 })
  const found = (await topology()).triggers.find((each: { name: string }) => each.name === 'send-email')
  expect(found).toMatchObject({
    ...{ broker: 'default', subscriber: 'send-email', dead_letter_sink: 'dead-letters', ready: true },
    ...{ backlog: 7, dead_letters: 2, delivered: 40 },
  })
  expect(found.filter).toContainEqual({ attribute: 'type', value: expect.any(String) })
})

test('what is not known yet is not ready, and a function at zero is', async () => {
  // Its Broker is ready, and its consumer can't be found yet.
  Object.assign(bank.trigger('notify'), { ready: false, reason: 'resolving' })
  const [{ triggers, functions, brokers }, { body: delivered }] = await Promise.all([
    topology(),
    get('/platform/events'),
  ])
  const notReady = { ready: false, reason: expect.any(String) }
  const named = (name: string) => expect.objectContaining({ name, ...notReady })
  expect(triggers).toContainEqual(named('notify'))
  expect(delivered.triggers).toContainEqual(named('notify'))
  expect(brokers).toContainEqual({ name: 'default', ready: true, reason: null })
  expect(functions[0]).toMatchObject({ state: 'zero', reason: null })
})

test('says what leads where', async () => {
  const { edges, clocks } = await topology()
  for (const [from, to, kind] of [
    ['callers', 'function:front-door', 'request'],
    ['function:front-door', 'function:transfer', 'request'],
    ['context:payments', 'function:transfer', 'call'],
    ['context:ledger', 'database:ledger', 'store'],
    ['context:ledger', 'broker:default', 'publish'],
    ['broker:default', 'trigger:send-email', 'filter'],
    ['trigger:send-email', 'function:send-email', 'deliver'],
    ['trigger:send-email', 'function:dead-letters', 'dead-letter'],
    ['clock:sweep-ledger', 'function:sweep-ledger', 'wake'],
  ])
    expect(edges).toContainEqual({ from, to, kind })
  expect(edges).not.toContainEqual(expect.objectContaining({ to: 'database:web' }))
  expect(clocks).toContainEqual({
    ...{ name: 'sweep-ledger', schedule: '*/5 * * * *', function: 'sweep-ledger' },
  })
})

test('shows the manifest of a function and its routes, and knows no other', async () => {
  const { body } = await get('/platform/functions/freeze-account')
  expect(body.routes).toEqual([{ method: 'POST', path: '/api/accounts/{id}/freeze' }])
  const { template } = body.manifest.spec
  expect(template.spec.containers[0].args).toEqual(['freeze-account'])
  expect(template.metadata.annotations).toMatchObject({ 'autoscaling.knative.dev/window': '30s' })
  expect(body.manifest.metadata).toMatchObject({ name: 'freeze-account', namespace: 'bank' })
  expect((await get('/platform/functions/loan')).status).toBe(404)
  expect((await get('/platform/functions/..%2Fsecrets')).status).toBe(404)
})

test('says that the Kubernetes API is away, and not that nothing runs', async () => {
  const lost = await startFunction(platform, { KUBERNETES_API: 'http://127.0.0.1:9' })
  expect((await get('/platform/topology', lost)).status).toBe(503)
  await lost.stop()
})

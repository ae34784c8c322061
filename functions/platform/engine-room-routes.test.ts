import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { startPlatform, type TestPlatform } from './platform-fixture.ts'
import platform from './platform.ts'

/** Cold starts, deliveries and logs, as operators see them. */

let bank: TestPlatform
let local: TestFunction
let asOperator: string

beforeAll(async () => {
  bank = await startPlatform()
  local = await startFunction(platform, bank.onLaptop, bank.catalogue)
  asOperator = await token({ userId: randomUUID(), role: 'operator' })
})
beforeEach(() => bank.reset())
afterAll(async () => {
  await local.stop()
  await bank.stop()
})

const get = (path: string, running = local) => running.request('GET', path, { token: asOperator })

const LOGS = '/platform/functions/transfer/logs'

test('is for operators alone, and refuses what it does not know', async () => {
  const customer = await token({ userId: randomUUID() })
  for (const path of ['/platform/cold-starts', '/platform/events', LOGS]) {
    expect([path, (await local.request('GET', path)).status]).toEqual([path, 401])
    expect([path, (await local.request('GET', path, { token: customer })).status]).toEqual([path, 403])
    expect([path, (await get(`${path}?x=1`)).status]).toEqual([path, 400])
  }
  for (const bad of ['?level=loud', '?limit=0', '?limit=501'])
    expect((await get(LOGS + bad)).status).toBe(400)
  expect((await get('/platform/cold-starts?function=..%2Fruntime')).status).toBe(400)
})

test('says that the runtime is away, and not that nothing has started', async () => {
  bank.away(true)
  for (const path of ['/platform/cold-starts', '/platform/events', LOGS])
    expect([path, (await get(path)).status]).toEqual([path, 503])
})

describe('cold starts', () => {
  const phases = { spawnMs: 10, portOpenMs: 40, bootMs: 25, loadMs: 14, firstRequestMs: 8 }

  test('are shown by phase, the newest first, with bare Node and all starts as histograms', async () => {
    bank.runtime.starts.add({ service: 'transfer', startedAt: '2030-01-01T00:00:00.000Z', idleMs: 1, phases })
    bank.runtime.starts.add({ service: 'notify', startedAt: '2030-01-01T00:00:01.000Z', phases: {} })
    bank.runtime.meter.observe('microbank_cold_start_seconds', { service: 'transfer', phase: 'boot' }, 0.025)
    const { body } = await get('/platform/cold-starts')
    const unknown = {
      ...{ ready_ms: null, spawn_ms: null, port_open_ms: null, boot_ms: null, load_ms: null, idle_ms: null },
      ...{ first_request_ms: null, first_query_ms: null },
    }
    expect(body).toMatchObject({ runtime: 'local', bare_node_ms: 38 })
    expect(body.starts).toEqual([
      { function: 'notify', started_at: '2030-01-01T00:00:01.000Z', ...unknown },
      {
        ...{ function: 'transfer', started_at: '2030-01-01T00:00:00.000Z', ready_ms: 50, spawn_ms: 10 },
        ...{ port_open_ms: 40, boot_ms: 25, load_ms: 14, idle_ms: 1, first_request_ms: 8 },
        first_query_ms: null,
      },
    ])
    const [histogram] = body.histograms
    expect(histogram).toMatchObject({ function: 'transfer', phase: 'boot' })
    const bucket = histogram.counts.indexOf(1)
    expect(body.bounds_ms.slice(bucket - 1, bucket + 1)).toEqual([20, 30])

    const { body: one } = await get('/platform/cold-starts?function=notify')
    expect([one.starts.length, one.histograms]).toEqual([1, []])
  })

  test('on a cluster are what the pods say: one time, unless a container was restarted', async () => {
    const pod = (name: string, status: object, labels: object = {}) => ({
      metadata: { name, uid: name, creationTimestamp: '2030-01-01T00:00:00Z', labels },
      status,
    })
    const ready = (at: string) => [
      { type: 'Ready', status: 'True', lastTransitionTime: `2030-01-01T00:00:${at}Z` },
    ]
    const own = { 'serving.knative.dev/service': 'transfer' }
    const items = [
      pod('first', { conditions: ready('03'), containerStatuses: [{ restartCount: 0 }] }, own),
      pod('restarted', { conditions: ready('59'), containerStatuses: [{ restartCount: 1 }] }, own),
      pod('starting', { conditions: [{ type: 'Ready', status: 'False' }] }, own),
      pod('no function', { conditions: ready('01') }),
    ]
    const paths: string[] = []
    const api = http.createServer(({ url }, response) => {
      paths.push(url!)
      response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items }))
    })
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
    const KUBERNETES_API = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
    const onCluster = await startFunction(platform, { KUBERNETES_API }, bank.catalogue)
    const { body } = await get('/platform/cold-starts', onCluster)
    await onCluster.stop()
    api.close()
    expect(paths).toEqual(['/api/v1/namespaces/bank/pods?resourceVersion=0'])
    expect(body).toMatchObject({ runtime: 'cluster', bare_node_ms: null, histograms: null, bounds_ms: [] })
    expect(body.starts.map((start: Record<string, unknown>) => [start.function, start.ready_ms])).toEqual([
      ['transfer', 3000],
      ['transfer', null],
      ['transfer', null],
    ])
  })
})

describe('deliveries', () => {
  const triggerIn = (body: { triggers: { name: string }[] }, name: string) =>
    body.triggers.find((each) => each.name === name)

  test('are shown by Trigger, with its filter, how it delivers, what waits and what was delivered', async () => {
    Object.assign(bank.trigger('notify'), { backlog: 7, deadLetters: 2 })
    bank.runtime.deliver('notify', 202, 0.1)
    bank.runtime.deliver('notify', 503, 0.1)
    const { body } = await get('/platform/events')
    expect(body).toMatchObject({ runtime: 'local', queue: 'Postgres', period_seconds: 10 })
    expect(body.brokers).toEqual([{ name: 'default', ready: true, reason: null }])
    const notify = triggerIn(body, 'notify')
    expect(notify).toMatchObject({
      ...{ broker: 'default', ready: true, reason: null, filter: { type: 'transaction.completed' } },
      ...{ subscriber: 'notify', backlog: 7, dead_letters: 2 },
      delivery: {
        ...{ tries: 9, first_pause_ms: 200, last_pause_ms: 25_600, grows: 'doubling', at_once: 20 },
        dead_letter_sink: 'dead-letters',
      },
    })
    const sum = (counts: number[]): number => counts.reduce((total, count) => total + count)
    const { rate } = notify as unknown as { rate: { delivered: number[]; failed: number[] } }
    expect([rate.delivered.length, sum(rate.delivered), sum(rate.failed)]).toEqual([30, 1, 1])
  })

  test('on a cluster have no backlog and no rate, but all that the objects say', async () => {
    const onCluster = await startFunction(platform, bank.onCluster, bank.catalogue)
    const { body } = await get('/platform/events', onCluster)
    await onCluster.stop()
    expect(body).toMatchObject({ runtime: 'cluster', queue: null })
    expect(triggerIn(body, 'notify')).toMatchObject({
      ...{ backlog: null, dead_letters: null, rate: null, delivery: { tries: 9 } },
    })
  })

  test('say why a Broker does not work', async () => {
    bank.broker().ready = false
    bank.broker().reason = 'connection refused'
    const { body } = await get('/platform/events')
    expect(body.brokers[0]).toMatchObject({ ready: false, reason: expect.stringContaining('refused') })
    expect(triggerIn(body, 'notify')).toMatchObject({ ready: false, reason: expect.any(String) })
  })
})

describe('the log of a function', () => {
  const TRACE = 'a'.repeat(32)
  const line = (level: string, more: object = {}) =>
    `${JSON.stringify({ time: '2030-01-01T00:00:00.000Z', level, service: 'transfer', message: 'said', ...more })}\n`

  test('is its last lines of a level, with their fields; a line of Node is a warning', async () => {
    bank.runtime.writeLog(
      'transfer',
      line('info') + line('error', { trace_id: TRACE, status: 500 }) + 'Warning: x\n',
    )
    const { body } = await get(`${LOGS}?level=warn`)
    expect(body).toEqual({
      lines: [
        {
          ...{ at: '2030-01-01T00:00:00.000Z', level: 'error', message: 'said', trace_id: TRACE },
          fields: { status: 500 },
        },
        {
          ...{ at: '2030-01-01T00:00:00.000Z', level: 'warn', message: 'Warning: x', trace_id: null },
          fields: {},
        },
      ],
      has_older: false,
      command: 'npm run logs -- --service transfer',
    })
    expect((await get(`${LOGS}?limit=1`)).body).toMatchObject({ lines: [{ level: 'warn' }], has_older: true })
  })

  test('of no function is 404, of one that was silent is empty', async () => {
    expect((await get('/platform/functions/nobody/logs')).status).toBe(404)
    expect((await get('/platform/functions/notify/logs')).body).toMatchObject({ lines: [], has_older: false })
  })

  test('on a cluster is the command that shows it', async () => {
    const onCluster = await startFunction(platform, bank.onCluster, bank.catalogue)
    const { body } = await get(`${LOGS}?limit=20`, onCluster)
    const { status } = await get('/platform/functions/nobody/logs', onCluster)
    await onCluster.stop()
    expect(body).toEqual({
      ...{ lines: null, has_older: false },
      command:
        'kubectl logs --namespace bank --selector serving.knative.dev/service=transfer --container user-container --tail 20',
    })
    expect(status).toBe(404)
  })
})

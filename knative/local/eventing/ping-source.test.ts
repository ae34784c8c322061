import { readFileSync } from 'node:fs'
import { createLog } from '../../../monitoring/log.ts'
import { until } from '../../../tests/support/until.ts'
import type { PingSourceManifest } from '../manifests/manifests.ts'
import { startPingSource } from './ping-source.ts'
import { server, startGateway } from '../gateway/gateway-fixture.ts'

const every = (name: string, change: Partial<PingSourceManifest> = {}): PingSourceManifest => ({
  name: 'sweep',
  // Six fields: the first one is seconds.
  schedule: '* * * * * *',
  timezone: 'Europe/Berlin',
  contentType: 'application/json',
  data: Buffer.from('{"of":"ledger"}'),
  extensions: { partitionkey: 'p' },
  sink: { kind: 'Service', name, uri: '/events' },
  ...change,
})

const record = server(`
  const event = { method: request.method, url: request.url, headers: request.headers, body: body.toString() }
  require('node:fs').appendFileSync(__dirname + '/seen', JSON.stringify(event) + '\\n')
  response.writeHead(204).end()`)

test('a PingSource sends its event to its sink, cluster-local or not, starting it when needed', async () => {
  const labels = { 'networking.knative.dev/visibility': 'cluster-local' }
  const gateway = await startGateway([{ name: 'sweep', script: record, labels }])
  const stop = startPingSource(every('sweep'), gateway.internal.port, createLog({}, 'error'))
  try {
    const seen = () => readFileSync(`${gateway.folder}/functions/seen`, 'utf8').trim().split('\n')
    await until(() => seen().length >= 2)
    const events = seen().map((line) => JSON.parse(line))
    expect(events[0]).toMatchObject({
      method: 'POST',
      url: '/events',
      body: '{"of":"ledger"}',
      headers: {
        'ce-specversion': '1.0',
        'ce-type': 'dev.knative.sources.ping',
        'ce-source': '/apis/v1/namespaces/bank/pingsources/sweep',
        'ce-partitionkey': 'p',
        'content-type': 'application/json',
      },
    })
    expect(events[0].headers['ce-id']).not.toBe(events[1].headers['ce-id'])
    expect(Date.parse(events[0].headers['ce-time'])).not.toBeNaN()
  } finally {
    await stop()
    await gateway.stop()
  }
})

test('an event that the sink refuses is logged, and the next one is sent', async () => {
  const lines: string[] = []
  const gateway = await startGateway([])
  const log = createLog({}, 'warn', (line) => lines.push(line))
  const stop = startPingSource(every('nobody'), gateway.internal.port, log)
  try {
    await until(() => lines.length >= 2)
    expect(JSON.parse(lines[0]!)).toMatchObject({ pingsource: 'sweep', error: 'Service nobody answered 404' })
  } finally {
    await stop()
    await gateway.stop()
  }
})

test('a schedule that can’t be read is refused with the PingSource’s name', () => {
  expect(() => startPingSource(every('x', { schedule: 'often' }), 1, createLog({}))).toThrow(
    /^PingSource sweep: schedule often/,
  )
})

/** From now on, Date is wrong by `offsetMs`, as on a machine whose clock was set. */
function setClock(offsetMs: number): () => void {
  const True = Date
  const now = () => True.now() + offsetMs
  globalThis.Date = new Proxy(True, {
    construct: (target, given: unknown[]) =>
      Reflect.construct(target, given.length > 0 ? given : [now()]) as Date,
    get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
  })
  return () => void (globalThis.Date = True)
}

test.each([
  ['back', -2],
  ['ahead', 2],
])('when the clock is set two hours %s, it neither stops nor sends what it missed', async (_, hours) => {
  const gateway = await startGateway([{ name: 'sweep', script: record }])
  const stop = startPingSource(every('sweep'), gateway.internal.port, createLog({}, 'error'))
  const seen = () => readFileSync(`${gateway.folder}/functions/seen`, 'utf8').trim().split('\n').length
  let restore = () => {}
  try {
    await until(() => seen() >= 1)
    restore = setClock(hours * 3_600_000)
    const [before, since] = [seen(), performance.now()]
    await until(() => seen() >= before + 3)
    const passedMs = performance.now() - since
    expect(seen()).toBeLessThanOrEqual(before + Math.ceil(passedMs / 1000) + 2)
  } finally {
    restore()
    await stop()
    await gateway.stop()
  }
})

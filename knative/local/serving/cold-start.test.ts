import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from '../../../tests/support/other-process.ts'
import { until } from '../../../tests/support/until.ts'
import { RecentStarts } from './recent-starts.ts'
import { call, server, startGateway, type TestService } from '../gateway/gateway-fixture.ts'

type Gateway = Awaited<ReturnType<typeof startGateway>>

/**
 * Reports its start as the bank's functions do. A path with `query` makes a query to a stand-in for the
 * database.
 */
const teller = `
  import { createServer } from 'node:http'
  import { portOpened, startTiming, timeFirstQuery } from './functions/host/start/start-timing.ts'
  createServer(async (request, response) => {
    if (request.url === '/query') await timeFirstQuery(() => new Promise((resolve) => setImmediate(resolve)))
    const timing = startTiming()
    if (timing) response.setHeader('server-timing', timing)
    response.end(String(process.pid))
  }).listen(process.env.PORT, '127.0.0.1', () => portOpened('teller'))`

/** Passes on what another function reported about its start. */
const forwarder = server(`
  response.setHeader('server-timing', 'boot;dur=1.0;desc="teller", db;dur=2.0;desc="teller"')
  response.end()`)

const dies = `if (require('node:fs').existsSync(__dirname + '/open')) { ${server('response.end()')} } else process.exit(1)`

let script: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => {
  script = await bundle(teller)
})
afterAll(() => script.remove())

const services = (): TestService[] => [
  { name: 'teller', script: readFileSync(script.file, 'utf8'), annotations: { window: '60s' } },
  { name: 'forwarder', script: forwarder, annotations: { window: '60s' } },
  { name: 'dies', script: dies },
]

async function withGateway(work: (gateway: Gateway) => Promise<void>): Promise<void> {
  const gateway = await startGateway(services())
  try {
    await work(gateway)
  } finally {
    await gateway.stop()
  }
}

/** How often the histogram counted each phase of a Service. */
async function counts({ open }: Gateway, service: string): Promise<Record<string, number>> {
  const headers = { host: 'runtime.microbank.localhost' }
  const { text } = await call(open.port, { path: '/metrics', headers })
  const lines = text.matchAll(
    /^microbank_cold_start_seconds_count{service="([a-z]+)",phase="([a-z-]+)"} (\d+)$/gm,
  )
  return Object.fromEntries(
    [...lines].flatMap(([, name, phase, count]) => (name === service ? [[phase, Number(count)]] : [])),
  )
}

const timing = (answer: { headers: NodeJS.Dict<string | string[]> }) => answer.headers['server-timing']

test('a function that starts from zero reports each phase once, and warm requests add nothing', () =>
  withGateway(async (gateway) => {
    await gateway.call('teller', { path: '/query' })
    const { coldStarts, lastColdStart } = gateway.service('teller').status()
    expect(coldStarts).toBe(1)
    for (const phase of [
      'spawnMs',
      'portOpenMs',
      'bootMs',
      'loadMs',
      'firstRequestMs',
      'firstQueryMs',
    ] as const)
      expect([phase, lastColdStart![phase]]).toEqual([phase, expect.any(Number)])
    const each = { spawn: 1, 'port-open': 1, 'first-request': 1 }
    expect(await counts(gateway, 'teller')).toEqual(each)

    const before = { ...lastColdStart }
    await gateway.call('teller', { path: '/query' })
    await gateway.call('teller')
    expect(await counts(gateway, 'teller')).toEqual(each)
    expect(gateway.service('teller').status().lastColdStart).toEqual(before)
  }))

test('the histogram counts every start, even if the first query comes after the first answer', () =>
  withGateway(async (gateway) => {
    const pid = Number((await gateway.call('teller')).text)
    expect(await counts(gateway, 'teller')).toEqual({ spawn: 1, 'port-open': 1, 'first-request': 1 })
    await gateway.call('teller', { path: '/query' })
    process.kill(pid, 'SIGKILL')
    await until(() => gateway.service('teller').status().coldStarts === 2)
    await gateway.call('teller')
    expect(await counts(gateway, 'teller')).toEqual({
      ...{ spawn: 2, 'port-open': 2, 'first-request': 2 },
    })
  }))

test('the first caller gets all phases as Server-Timing, the next one none', () =>
  withGateway(async (gateway) => {
    const entry = (name: string) => `${name};dur=\\d+\\.\\d;desc="teller"`
    const all = ['spawn', 'port-open', 'boot', 'load', 'db'].map(entry).join(', ')
    expect(timing(await gateway.call('teller', { path: '/query' }))).toMatch(new RegExp(`^${all}$`))
    expect(timing(await gateway.call('teller', { path: '/query' }))).toBeUndefined()
  }))

test('what an answer reports about another function counts only for that one, and is passed on', () =>
  withGateway(async (gateway) => {
    await gateway.call('forwarder')
    expect(await counts(gateway, 'forwarder')).toEqual({ spawn: 1, 'port-open': 1, 'first-request': 1 })
    expect(gateway.service('forwarder').status().lastColdStart).not.toHaveProperty('bootMs')
    expect(timing(await gateway.call('forwarder'))).toBe(
      'boot;dur=1.0;desc="teller", db;dur=2.0;desc="teller"',
    )
  }))

test('the last starts of all functions are kept, the newest first, and later phases are added to them', () =>
  withGateway(async (gateway) => {
    const before = Date.now()
    const pid = Number((await gateway.call('teller')).text)
    await gateway.call('forwarder')
    await gateway.call('dies')
    const starts = gateway.starts.list()
    expect(starts.map(({ service }) => service)).toEqual(['forwarder', 'teller'])
    const [, teller] = starts
    expect(Date.parse(teller!.startedAt)).toBeGreaterThanOrEqual(before)
    expect(teller).toMatchObject({ idleMs: expect.any(Number), phases: { bootMs: expect.any(Number) } })
    expect(teller!.phases).not.toHaveProperty('firstQueryMs')
    await gateway.call('teller', { path: '/query' })
    expect(teller!.phases).toMatchObject({ firstQueryMs: expect.any(Number) })

    // Nobody asks the next one anything.
    process.kill(pid, 'SIGKILL')
    await until(() => gateway.starts.list().length === 3)
    expect(gateway.starts.list()[0]).not.toHaveProperty('idleMs')
  }))

test('only the last fifty starts are kept', () => {
  const starts = new RecentStarts()
  for (let n = 0; n < 60; n++) starts.add({ service: `f${n}`, startedAt: '', phases: {} })
  expect([starts.list().length, starts.list()[0]!.service, starts.list()[49]!.service]).toEqual([
    ...[50, 'f59', 'f10'],
  ])
})

test('a process that ends before its port opens does not count as a cold start', () =>
  withGateway(async (gateway) => {
    expect((await gateway.call('dies')).status).toBe(503)
    expect(await counts(gateway, 'dies')).toEqual({})
    expect(gateway.service('dies').status()).toMatchObject({ coldStarts: 0 })
  }))

test('each start with a first answer is one line in the log of its function', () =>
  withGateway(async (gateway) => {
    const pid = Number((await gateway.call('teller', { path: '/query' })).text)
    await gateway.call('teller')
    const lines = () =>
      readFileSync(join(gateway.folder, 'logs', 'teller.log'), 'utf8')
        .split('\n')
        .filter(Boolean)
    await until(() => lines().length > 0)
    const number = expect.any(Number)
    expect(lines().map((line) => JSON.parse(line))).toEqual([
      {
        ...{ time: expect.any(String), level: 'info', service: 'teller', message: 'cold start', pid },
        ...{ spawn_ms: number, port_open_ms: number, boot_ms: number, load_ms: number },
        ...{ first_request_ms: number, first_query_ms: number },
      },
    ])
  }))

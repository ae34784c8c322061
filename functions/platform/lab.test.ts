import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import http, { type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLabDoor, type LabDoor } from '../../knative/local/lab/door.ts'
import { Lab } from '../../knative/local/lab/lab.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import lab from './lab.ts'
import { invariantIds, summaryOf, type LabRun } from './lab/run-schema.ts'

/** The function over the runtime's own door. What is behind the door, a test stands in for. */

const RUN: LabRun = {
  ...{ id: randomUUID(), state: 'ended', verdict: 'green', ended_by: 'time', scenario: 'rabbitmq-away' },
  ...{ faults: [{ kind: 'rabbitmq-away', seconds: 10 }], traffic: { per_second: 10 }, seconds: 20 },
  ...{ seed: 4711, version: '0.1.0', commit: 'abc', started_by: randomUUID() },
  ...{ created_at: new Date().toISOString(), began_at: null, ended_at: null },
  counts: {
    ...{ moved: 3, refused: 0, repeated: 0, unanswered: 0, deliveries: 3, took_effect: 3 },
    ...{ dead_letters: 0, lost: 0, doubled: 0, faults: 1 },
  },
  invariants: invariantIds.map((id) => ({ id, state: 'ok', checked_at: null, found: 'a | b' })),
  ...{ broken_now: [], story: [{ at_ms: 5, fault: 'rabbitmq-away', place: 'rabbitmq' }], evidence: [] },
}

const KEY = 'the key of the lab'
const dataDir = mkdtempSync(join(tmpdir(), 'microbank-lab-'))
let door: LabDoor
let gateway: http.Server
let running: TestFunction
let elsewhere: TestFunction
let asOperator: string
const world = {
  ...{ services: new Map([['transfer', { pids: [] }]]), consumers: [], ingresses: new Map() },
  ...{ servers: { postgres: undefined, rabbitmq: undefined }, publish: async () => undefined },
}
const open = (hosts: string[]) =>
  openLabDoor({ key: KEY, hosts, parts: { root: '.', dataDir, url: '', databases: {}, world } })

beforeAll(async () => {
  door = open(['127.0.0.1', '::1'])
  const handle: RequestListener = (...both) => door.handle(...both)
  gateway = http.createServer(handle)
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  const LOCAL_GATEWAY = `127.0.0.1:${(gateway.address() as AddressInfo).port}`
  running = await startFunction(lab, { LOCAL_GATEWAY, LAB_KEY: KEY })
  elsewhere = await startFunction(lab, {})
  asOperator = await token({ userId: randomUUID(), role: 'operator' })
})
beforeEach(() => {
  door = open(['127.0.0.1', '::1'])
  jest.spyOn(Lab.prototype, 'list').mockReturnValue([summaryOf(RUN)])
  jest.spyOn(Lab.prototype, 'find').mockImplementation((id) => (id === RUN.id ? RUN : undefined))
})
afterEach(() => jest.restoreAllMocks())
afterAll(async () => {
  await running.stop()
  await elsewhere.stop()
  gateway.closeAllConnections()
  gateway.close()
  rmSync(dataDir, { recursive: true })
})

const ROUTES = [
  ['GET', '/lab'],
  ['POST', '/lab/runs'],
  ['GET', `/lab/runs/${RUN.id}`],
  ['DELETE', `/lab/runs/${RUN.id}`],
  ['GET', `/lab/runs/${RUN.id}/report`],
] as const
const ask = (method: string, path: string, body?: object, where = running) =>
  where.request(method, path, { token: asOperator, ...(body && { body }) })
const begin = (body: object) => ask('POST', '/lab/runs', body)

test('is for operators alone', async () => {
  const customer = await token({ userId: randomUUID() })
  for (const [method, path] of ROUTES) {
    const body = method === 'POST' ? { body: {} } : {}
    expect((await running.request(method, path, body)).status).toBe(401)
    expect((await running.request(method, path, { ...body, token: customer })).status).toBe(403)
  }
})

test('shows scenarios, faults and the last runs', async () => {
  const { status, body } = await ask('GET', '/lab')
  expect([status, body.available, body.why_not, body.functions]).toEqual([200, true, null, ['transfer']])
  expect(body.scenarios).toHaveLength(6)
  expect(body.faults).toHaveLength(8)
  expect(body.runs).toEqual([summaryOf(RUN)])
  expect(body.runs[0]).not.toHaveProperty('evidence')
})

test('elsewhere there is no lab, and it says why', async () => {
  expect((await ask('GET', '/lab', undefined, elsewhere)).body).toMatchObject({
    ...{ available: false, why_not: 'cluster', runs: [] },
  })
  door = open(['0.0.0.0'])
  expect((await ask('GET', '/lab')).body).toMatchObject({ available: false, why_not: 'open-to-network' })
  for (const [method, path] of ROUTES.slice(1))
    for (const where of [running, elsewhere]) {
      const { status, body } = await ask(method, path, method === 'POST' ? {} : undefined, where)
      expect([status, body.type]).toEqual([409, 'https://microbank.dev/problems/lab-off'])
    }
})

test('begins a run: what the request leaves out is the scenario’s, and the faults are complete', async () => {
  const start = jest.spyOn(Lab.prototype, 'start').mockResolvedValue({ kind: 'started', run: RUN })
  const { status, headers, body } = await begin({ scenario: 'rabbitmq-away', seconds: 5, seed: 7 })
  expect([status, headers.get('location'), body]).toEqual([201, `/api/lab/runs/${RUN.id}`, RUN])
  expect(start).toHaveBeenCalledWith({
    ...{ scenario: 'rabbitmq-away', faults: [{ kind: 'rabbitmq-away', seconds: 10 }] },
    ...{ traffic: { per_second: 10 }, seconds: 5, seed: 7, started_by: expect.any(String) },
  })
})

test('one run at a time, and no fault that this bank cannot have', async () => {
  const start = jest.spyOn(Lab.prototype, 'start').mockResolvedValue({ kind: 'busy', run: RUN })
  expect((await begin({})).body.type).toMatch('lab-busy')
  start.mockResolvedValue({ kind: 'impossible', index: 1, why: 'There is no function x.' })
  const { status, body } = await begin({})
  expect([status, body.errors]).toEqual([422, [{ path: '/faults/1', message: 'There is no function x.' }]])
})

test.each([
  { seconds: 601 },
  { seconds: 0 },
  { traffic: { per_second: 201 } },
  { seed: -1 },
  { scenario: 'none' },
  { faults: [{ kind: 'none' }] },
  { faults: [{ kind: 'repeat-deliveries', percent: 5 }] },
  { faults: Array.from({ length: 9 }, () => ({ kind: 'poison-event' })) },
  { more: 1 },
])('refuses %j and begins nothing', async (body) => {
  const start = jest.spyOn(Lab.prototype, 'start')
  expect((await begin(body)).status).toBe(400)
  expect(start).not.toHaveBeenCalled()
})

test('shows and stops a run, and knows no other', async () => {
  expect((await ask('GET', `/lab/runs/${RUN.id}`)).body).toEqual(RUN)
  const stop = jest.spyOn(Lab.prototype, 'stop').mockReturnValue(RUN)
  expect((await ask('DELETE', `/lab/runs/${RUN.id}`)).body).toEqual(RUN)
  expect(stop).toHaveBeenCalledWith(RUN.id)
  expect((await ask('GET', `/lab/runs/${randomUUID()}`)).status).toBe(404)
  expect((await ask('GET', `/lab/runs/${randomUUID()}/report`)).status).toBe(404)
})

test('reports a run as Markdown and as JSON, with seed and commit', async () => {
  const path = `/lab/runs/${RUN.id}/report`
  const markdown = await ask('GET', path)
  expect(markdown.headers.get('content-type')).toMatch('text/markdown')
  expect(markdown.headers.get('content-disposition')).toBe(`attachment; filename="lab-4711-${RUN.id}.md"`)
  for (const part of [
    '| seed | 4711 |',
    '| commit | abc |',
    '> Money moves',
    'a \\| b',
    '**Verdict: green**',
  ])
    expect(markdown.body).toContain(part)
  expect((await ask('GET', `${path}?format=json`)).body).toEqual(RUN)
})

test('the door opens to nobody without the secret, and to no page of a browser', async () => {
  const { port } = gateway.address() as AddressInfo
  const knock = async (headers: Record<string, string>) =>
    (await fetch(`http://127.0.0.1:${port}/lab`, { headers })).status
  expect(await knock({})).toBe(401)
  expect(await knock({ authorization: `Bearer ${KEY}x` })).toBe(401)
  expect(await knock({ authorization: `Bearer ${KEY}`, origin: 'http://evil.example' })).toBe(401)
  expect(await knock({ authorization: `Bearer ${KEY}` })).toBe(200)
})

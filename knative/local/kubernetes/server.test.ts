import { createServer, get, request, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLog } from '../../../monitoring/log.ts'
import { until } from '../../../tests/support/until.ts'
import type { KubernetesObject } from './object.ts'
import { createKubernetesApi, type KubernetesApi } from './server.ts'

const SERVICES = '/apis/serving.knative.dev/v1/namespaces/bank/services'
const AS_TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }

const service = (
  name: string,
  ready: 'True' | 'False',
  labels: Record<string, string> = {},
): KubernetesObject => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: {
    name,
    namespace: 'bank',
    uid: `uid-${name}`,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels,
  },
  status: { url: `http://${name}`, conditions: [{ type: 'Ready', status: ready }] },
})

let objects: KubernetesObject[]
let isUnreadable: () => boolean
let api: KubernetesApi
let server: Server

beforeEach(async () => {
  objects = [service('deposit', 'True'), service('notify', 'True', { visibility: 'cluster-local' })]
  isUnreadable = () => false
  api = createKubernetesApi(read, new Date(), createLog({}, 'error'))
  server = createServer(api.handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  api.endWatches()
  await new Promise((resolve) => server.close(resolve))
})

const read = async (): Promise<KubernetesObject[]> => {
  if (isUnreadable()) throw new Error('nothing can be read')
  return objects
}

interface Answer {
  status: number
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the API says; the tests look into it
  body: any
}

const ask = (
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo
    request({ host: '127.0.0.1', port, path, agent: false, ...options }, (res) => {
      let text = ''
      res.on('data', (chunk) => (text += chunk))
      res.on('end', () => resolve({ status: res.statusCode!, body: text && JSON.parse(text) }))
    })
      .on('error', reject)
      .end()
  })

const names = ({ body }: Answer): string[] => body.items.map((item: KubernetesObject) => item.metadata.name)

test('a list has the kind that typed clients expect, and each object a resourceVersion', async () => {
  const { status, body } = await ask(SERVICES)
  expect(status).toBe(200)
  expect(body).toMatchObject({ kind: 'ServiceList', apiVersion: 'serving.knative.dev/v1' })
  expect(body.items).toHaveLength(2)
  for (const item of body.items) expect(item.metadata.resourceVersion).toMatch(/^\d+$/)
})

test('a resourceVersion moves when its object changes, and only then', async () => {
  const versions = async (): Promise<string[]> =>
    (await ask(SERVICES)).body.items.map(
      ({ metadata }: { metadata: { resourceVersion: string } }) => metadata.resourceVersion,
    )
  const before = await versions()
  expect(await versions()).toEqual(before)
  objects = [objects[0]!, service('notify', 'False')]
  const after = await versions()
  expect(after[0]).toBe(before[0])
  expect(Number(after[1])).toBeGreaterThan(Number(before[1]))
})

test.each([
  ['fieldSelector=metadata.name%3Ddeposit', ['deposit']],
  ['fieldSelector=metadata.name!%3Ddeposit', ['notify']],
  ['labelSelector=visibility%3Dcluster-local', ['notify']],
  ['labelSelector=visibility!%3Dcluster-local', ['deposit']],
  ['labelSelector=visibility', ['notify']],
  ['labelSelector=!visibility', ['deposit']],
  ['labelSelector=visibility%20in%20(a,cluster-local)', ['notify']],
  ['labelSelector=visibility%20notin%20(a,cluster-local)', ['deposit']],
])('?%s selects %p', async (query, expected) => {
  expect(names(await ask(`${SERVICES}?${query}`))).toEqual(expected)
})

test('a selector that cannot be read is refused', async () => {
  expect(await ask(`${SERVICES}?labelSelector=a%20b`)).toMatchObject({
    status: 400,
    body: { reason: 'BadRequest' },
  })
  expect(await ask(`${SERVICES}?fieldSelector=spec.x%3D1`)).toMatchObject({ status: 400 })
})

test('only what is in the namespace that was asked for is listed; without one all is', async () => {
  expect(names(await ask(SERVICES.replace('bank', 'other')))).toEqual([])
  expect(names(await ask('/apis/serving.knative.dev/v1/services'))).toHaveLength(2)
})

test('an object is found by its name, and what is not there is a Status that names it', async () => {
  expect((await ask(`${SERVICES}/deposit`)).body).toMatchObject({
    kind: 'Service',
    metadata: { name: 'deposit' },
  })
  expect(await ask(`${SERVICES}/loan`)).toMatchObject({
    status: 404,
    body: { kind: 'Status', reason: 'NotFound', message: 'services.serving.knative.dev "loan" not found' },
  })
})

test.each([
  '/apis/serving.knative.dev/v1/services/deposit',
  '/apis/serving.knative.dev/v2/namespaces/bank/services',
  `${SERVICES}/deposit/status`,
  '/api/v1/namespaces/bank/pods',
  '/api/v1/namespaces/bank/secrets',
  '/apis/serving.knative.dev/v1/namespaces/bank',
  '/',
  '//',
  '//[',
  '/openapi/v2',
  `/${'a'.repeat(4000)}`,
])('%s leads nowhere', async (path) => {
  expect(await ask(path)).toMatchObject({ status: 404, body: { kind: 'Status' } })
})

test('as a table it has the columns of the kind, with what they need to be printed', async () => {
  const { body } = await ask(SERVICES, { headers: AS_TABLE })
  expect(body.kind).toBe('Table')
  expect(body.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual([
    ...['Name', 'URL', 'LatestCreated', 'LatestReady', 'Ready', 'Reason'],
  ])
  expect(body.rows[0]).toMatchObject({
    cells: ['deposit', 'http://deposit', null, null, 'True', null],
    object: { kind: 'PartialObjectMetadata', metadata: { name: 'deposit' } },
  })
})

test.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
  '%s changes nothing and says where the truth is',
  async (method) => {
    const { status, body } = await ask(`${SERVICES}/deposit`, { method })
    expect([status, body.reason]).toEqual([405, 'MethodNotAllowed'])
    expect(body.message).toContain('knative/services')
  },
)

test('a name that somebody else let point to this machine is refused', async () => {
  const foreign = await ask(SERVICES, { headers: { host: 'evil.example:8081' } })
  expect(foreign).toMatchObject({ status: 403, body: { reason: 'Forbidden' } })
  expect((await ask(SERVICES, { headers: { host: 'localhost:8081' } })).status).toBe(200)
})

test('discovery leads to every kind', async () => {
  const { body: core } = await ask('/api')
  expect(core.versions).toEqual(['v1'])
  const { body } = await ask('/apis')
  const found: string[] = []
  for (const { versions } of body.groups)
    for (const { groupVersion } of versions)
      for (const { name } of (await ask(`/apis/${groupVersion}`)).body.resources) {
        expect((await ask(`/apis/${groupVersion}/namespaces/bank/${name}`)).status).toBe(200)
        found.push(name)
      }
  expect(found).toEqual(
    expect.arrayContaining(['services', 'revisions', 'brokers', 'triggers', 'pingsources']),
  )
})

describe('a watch', () => {
  const watch = async (query: string) => {
    const { port } = server.address() as AddressInfo
    const res = await new Promise<IncomingMessage>((resolve) =>
      get({ host: '127.0.0.1', port, path: `${SERVICES}?watch=true&${query}`, agent: false }, resolve),
    )
    let text = ''
    res.on('data', (chunk) => (text += chunk))
    let isEnded = false
    res.on('end', () => (isEnded = true))
    const events = () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    return {
      events,
      told: () => events().map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim()),
      isEnded: () => isEnded,
    }
  }

  test('tells first of all that there is, then of what changes, comes and goes', async () => {
    const { told } = await watch('')
    await until(() => told().length === 2)
    objects = [service('deposit', 'False'), service('loan', 'True')]
    await until(() => told().length === 5)
    expect(told()).toEqual([
      ...['ADDED deposit', 'ADDED notify', 'MODIFIED deposit', 'ADDED loan', 'DELETED notify'],
    ])
  })

  test('from a resourceVersion on tells only of what is newer', async () => {
    const { body } = await ask(SERVICES)
    objects = [objects[0]!, service('notify', 'False')]
    const { told } = await watch(`resourceVersion=${body.metadata.resourceVersion}`)
    await until(() => told().length > 0)
    expect(told()).toEqual(['MODIFIED notify'])
  })

  test('says when all has been told that there was, where it is asked to', async () => {
    const { events, told } = await watch('sendInitialEvents=true&allowWatchBookmarks=true')
    await until(() => told().length === 3)
    expect(events()[2]).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'Service', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    })
  })

  test('goes on after a moment in which nothing could be read', async () => {
    const { told } = await watch('')
    await until(() => told().length === 2)
    let failed = 0
    const before = objects
    isUnreadable = () => ++failed < 2
    await until(() => failed >= 2)
    objects = [...before, service('loan', 'True')]
    await until(() => told().includes('ADDED loan'))
  })

  test('ends when the bank does', async () => {
    const { told, isEnded } = await watch('')
    await until(() => told().length === 2)
    api.endWatches()
    await until(isEnded)
  })

  test('is refused where too many are open', async () => {
    for (let n = 0; n < 100; n++) await watch('')
    expect(await ask(`${SERVICES}?watch=true`)).toMatchObject({ status: 429 })
  })
})

import type { KubernetesObject } from './object.ts'
import { names, service, SERVICES, startApi } from './api-fixture.ts'

const AS_TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }

let objects: KubernetesObject[]
let api: Awaited<ReturnType<typeof startApi>>
const ask: typeof api.ask = (...request) => api.ask(...request)

beforeEach(async () => {
  objects = [service('deposit', 'True'), service('notify', 'True', { visibility: 'cluster-local' })]
  api = await startApi(async () => objects)
})
afterEach(() => api.stop())

test('a list has the kind that typed clients expect, and each object a resourceVersion', async () => {
  const { status, body } = await ask(SERVICES)
  expect(status).toBe(200)
  expect(body).toMatchObject({ kind: 'ServiceList', apiVersion: 'serving.knative.dev/v1' })
  expect(body.items).toHaveLength(2)
  for (const item of body.items) expect(item.metadata.resourceVersion).toMatch(/^\d+$/)
})

test('a list is sorted by name', async () => {
  objects = [service('loan', 'True'), ...objects]
  expect(names(await ask(SERVICES))).toEqual(['deposit', 'loan', 'notify'])
})

test('a resourceVersion changes only when its object changes', async () => {
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
  ['labelSelector=visibility%20in(a,cluster-local)', ['notify']],
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

test('a list for a namespace holds only its objects; a list without one holds all', async () => {
  expect(names(await ask(SERVICES.replace('bank', 'other')))).toEqual([])
  expect(names(await ask('/apis/serving.knative.dev/v1/services'))).toHaveLength(2)
})

test('an object is found by its name, and a missing one is a Status with that name', async () => {
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

test('a table has the columns of the kind, with all that kubectl needs to print them', async () => {
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
  '%s changes nothing, and the answer points to the manifests',
  async (method) => {
    const { status, body } = await ask(`${SERVICES}/deposit`, { method })
    expect([status, body.reason]).toEqual([405, 'MethodNotAllowed'])
    expect(body.message).toContain('knative/services')
  },
)

test('a foreign host name that points to this machine is refused', async () => {
  const foreign = await ask(SERVICES, { headers: { host: 'evil.example:8081' } })
  expect(foreign).toMatchObject({ status: 403, body: { reason: 'Forbidden' } })
  expect((await ask(SERVICES, { headers: { host: 'localhost:8081' } })).status).toBe(200)
})

test('discovery lists every kind', async () => {
  const { body: core } = await ask('/api')
  expect(core.versions).toEqual(['v1'])
  const { body } = await ask('/apis')
  const found: string[] = []
  for (const { versions } of body.groups)
    for (const { groupVersion } of versions)
      for (const { name, namespaced } of (await ask(`/apis/${groupVersion}`)).body.resources) {
        const path = namespaced ? `namespaces/bank/${name}` : name
        expect((await ask(`/apis/${groupVersion}/${path}`)).status).toBe(200)
        found.push(name)
      }
  expect(found).toEqual(
    expect.arrayContaining(['services', 'revisions', 'brokers', 'triggers', 'pingsources']),
  )
})

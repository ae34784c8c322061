import { connect } from 'node:net'
import { until } from '../../../tests/support/until.ts'
import type { KubernetesObject } from './object.ts'
import { service, SERVICES, startApi } from './api-fixture.ts'

let objects: KubernetesObject[]
let isUnreadable: () => boolean
let api: Awaited<ReturnType<typeof startApi>>
const ask: typeof api.ask = (...request) => api.ask(...request)
const watch = (query: string) => api.watch(query)

beforeEach(async () => {
  objects = [service('deposit', 'True'), service('notify', 'True', { visibility: 'cluster-local' })]
  isUnreadable = () => false
  api = await startApi(async () => {
    if (isUnreadable()) throw new Error('nothing can be read')
    return objects
  })
})
afterEach(() => api.stop())

test('a watch first sends all objects, then what is changed, added and removed', async () => {
  const { told } = await watch('')
  await until(() => told().length === 2)
  objects = [service('deposit', 'False'), service('loan', 'True')]
  await until(() => told().length === 5)
  expect(told()).toEqual([
    ...['ADDED deposit', 'ADDED notify', 'MODIFIED deposit', 'ADDED loan', 'DELETED notify'],
  ])
})

test('a watch from a resourceVersion sends what was changed, added and removed since', async () => {
  const { body } = await ask(SERVICES)
  objects = [service('deposit', 'False'), service('loan', 'True')]
  await ask(SERVICES)
  objects = [service('deposit', 'True'), service('loan', 'True')]
  const { events, told } = await watch(`resourceVersion=${body.metadata.resourceVersion}`)
  await until(() => told().length === 4)
  expect(told()).toEqual(['MODIFIED deposit', 'ADDED loan', 'DELETED notify', 'MODIFIED deposit'])
  const versions = events().map(({ object }) => Number(object.metadata.resourceVersion))
  expect(versions).toEqual([...versions].sort((a, b) => a - b))
})

test('a watch from a resourceVersion that is too old says so and ends', async () => {
  const { events, isEnded } = await watch('resourceVersion=1')
  await until(isEnded)
  expect(events()).toEqual([
    { type: 'ERROR', object: expect.objectContaining({ kind: 'Status', code: 410, reason: 'Expired' }) },
  ])
})

test('a watch can start a thousand changes back', async () => {
  const { body } = await ask(SERVICES)
  for (let n = 0; n < 1001; n++) {
    objects = [service('deposit', n % 2 ? 'True' : 'False'), objects[1]!]
    await ask(SERVICES)
  }
  const since = Number(body.metadata.resourceVersion)
  const [tooOld, known] = [
    await watch(`resourceVersion=${since}`),
    await watch(`resourceVersion=${since + 1}`),
  ]
  await until(tooOld.isEnded)
  await until(() => known.told().length === 1000)
})

test('a watch with a selector sends what leaves the selection as deleted, and what enters it as added', async () => {
  const { told } = await watch('labelSelector=visibility')
  await until(() => told().length === 1)
  objects = [service('deposit', 'True', { visibility: 'cluster-local' }), service('notify', 'True')]
  await until(() => told().length === 3)
  expect(told()).toEqual(['ADDED notify', 'ADDED deposit', 'DELETED notify'])
})

test('HEAD opens no watch, so its connection serves the next request', async () => {
  const socket = connect(api.port, '127.0.0.1')
  let answers = ''
  socket.on('data', (chunk) => (answers += chunk))
  for (const request of [`HEAD ${SERVICES}?watch=true`, 'GET /livez'])
    socket.write(`${request} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  await until(() => answers.endsWith('ok'))
  socket.destroy()
})

test('a watch marks the end of the initial objects if the client asks for that', async () => {
  const { resourceVersion } = (await ask(SERVICES)).body.metadata
  const options = 'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan'
  const { events, told } = await watch(`${options}&resourceVersion=${resourceVersion}`)
  await until(() => told().length === 3)
  expect(told()).toEqual(['ADDED deposit', 'ADDED notify', 'BOOKMARK'])
  expect(events()[2]).toMatchObject({
    type: 'BOOKMARK',
    object: { kind: 'Service', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
  })
})

test('a watch continues after a failed read', async () => {
  const { told } = await watch('')
  await until(() => told().length === 2)
  let failed = 0
  const before = objects
  isUnreadable = () => ++failed < 2
  await until(() => failed >= 2)
  objects = [...before, service('loan', 'True')]
  await until(() => told().includes('ADDED loan'))
})

test('a watch ends when the bank does', async () => {
  const { told, isEnded } = await watch('')
  await until(() => told().length === 2)
  api.endWatches()
  await until(isEnded)
})

test('a watch is refused if too many are open', async () => {
  for (let n = 0; n < 100; n++) await watch('')
  expect(await ask(`${SERVICES}?watch=true`)).toMatchObject({ status: 429 })
})

import http, { type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from '../../tests/support/until.ts'
import { FollowedObjects, untilListedMs } from './followed-objects.ts'
import { createKubernetesClient, shownKinds } from './kubernetes.ts'

/** A Kubernetes API whose watches do what a test says. */
async function followed(watch: (response: ServerResponse) => void, times = {}) {
  let lists = 0
  const warnings: object[] = []
  let watchSeconds: number | undefined
  const api = http.createServer(({ url }, response) => {
    if (url!.includes('watch=true')) {
      watchSeconds = Number(new URL(url!, 'http://api').searchParams.get('timeoutSeconds'))
      return watch(response)
    }
    lists++
    const items = [{ metadata: { name: 'transfer', uid: '1', resourceVersion: '7' } }]
    response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items }))
  })
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  const client = createKubernetesClient({
    KUBERNETES_API: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    KUBERNETES_ACCOUNT: '/nowhere',
    SERVICE_DOMAIN: 'bank.svc.cluster.local',
  })
  const objects = new FollowedObjects(client, { warn: (_, fields) => void warnings.push(fields!) }, times)
  objects.start()
  return {
    objects,
    lists: () => lists,
    watchSeconds: () => watchSeconds,
    warnings,
    connections: () => new Promise((resolve) => api.getConnections((_, count) => resolve(count))),
    stop: () => {
      objects.stop()
      api.closeAllConnections()
      api.close()
    },
  }
}

const expired = { kind: 'Status', code: 410, reason: 'Expired' }

test.each<[string, (response: ServerResponse) => void]>([
  ['says nothing at all', () => undefined],
  ['begins, and then dies in silence', (response) => response.flushHeaders()],
  ['says 410', (response) => response.writeHead(410).end(JSON.stringify(expired))],
  ['says 403, and goes on for ever', (response) => response.writeHead(403).write('x')],
  ['says that the version is too old', (response) => write(response, { type: 'ERROR', object: expired })],
  ['says what is no JSON', (response) => response.write('<html>\n')],
  ['says null', (response) => write(response, null)],
  ['tells of nothing', (response) => write(response, { type: 'ADDED' })],
])('a watch that %s is left, and all are listed again', async (_, watch) => {
  const api = await followed(watch, { watchSeconds: 0, lateMsMax: 20 })
  await until(() => api.lists() > shownKinds.length)
  api.objects.stop()
  await until(async () => (await api.connections()) === 0)
  api.stop()
})

test.each<[string, (response: ServerResponse) => void]>([
  ['as its status', (response) => response.writeHead(410).end(JSON.stringify(expired))],
  ['as an event', (response) => write(response, { type: 'ERROR', object: expired })],
])('a version that is too old, told %s, is no API that is away', async (_, watch) => {
  const failures = new Set<number>()
  const untilMs = (count: number): number => {
    failures.add(count)
    return 10
  }
  const api = await followed(watch, { untilMs })
  await until(() => api.objects.current !== undefined)
  await until(() => api.lists() > 3 * shownKinds.length)
  expect([api.objects.current === undefined, api.warnings]).toEqual([false, []])
  // It is asked ever more rarely all the same.
  expect([...failures].slice(0, 3)).toEqual([1, 2, 3])
  api.stop()
})

test('an API that fails is asked less and less often, and soon again once it has told something', async () => {
  const failures: number[] = []
  const untilMs = (count: number): number => {
    failures.push(count)
    return 10
  }
  let isWell = false
  const api = await followed(
    (response) => {
      if (!isWell) return void response.writeHead(429).end()
      write(response, { type: 'BOOKMARK', object: { metadata: {} } })
      response.end()
    },
    { untilMs },
  )
  await until(() => failures.includes(4))
  expect(api.objects.current).toBeUndefined()
  expect(api.warnings).toEqual([
    expect.objectContaining({ cause: expect.stringMatching(/watch=true.*: 429$/) }),
  ])
  isWell = true
  await until(() => failures.at(-1) === 0 && api.objects.current !== undefined)
  api.stop()
})

test('the waits grow to half a minute, and differ', () => {
  const waits = (random: number) => [0, 1, 2, 5, 6, 50, 5_000].map((n) => untilListedMs(n, () => random))
  expect(waits(1)).toEqual([500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000])
  expect(waits(0)).toEqual([500, 500, 1_000, 8_000, 15_000, 15_000, 15_000])
})

const write = (response: ServerResponse, event: unknown): void =>
  void response.write(`${JSON.stringify(event)}\n`)

test('a watch that goes on is kept, and what it tells is taken', async () => {
  let opened = 0
  const api = await followed((response) => {
    opened++
    const object = { metadata: { name: 'deposit', uid: '2', resourceVersion: '8' } }
    // A line may come in parts, and an event may be cut within a character.
    const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: { ...object, spec: 'é' } })}\n`)
    response.write(line.subarray(0, -5))
    setImmediate(() => response.write(line.subarray(-5)))
  })
  await until(() => api.objects.current?.services.length === 2)
  expect(api.objects.current?.services[1]).toMatchObject({ metadata: { name: 'deposit' }, spec: 'é' })
  await until(() => opened === shownKinds.length)
  expect(api.lists()).toBe(shownKinds.length)
  // docs/engine-room.md promises that a hung API server is noticed.
  expect(api.watchSeconds()).toBe(30)
  api.stop()
})

import { randomUUID } from 'node:crypto'
import { token } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import { inside, startNotes } from './notes-fixture.ts'

const ada = randomUUID()
const bob = randomUUID()
let host: Awaited<ReturnType<typeof startNotes>>
let adaToken: string

beforeAll(async () => {
  host = await startNotes()
  adaToken = await token({ userId: ada })
})

afterAll(() => host?.stop())

const post = (body: unknown, headers: Record<string, string> = {}, bearer = adaToken) =>
  host.request('POST', '/notes', { token: bearer, body, headers })

test('the same key and content gets the first answer again, without a second effect', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const first = await post('{"text":"once","tone":"dry"}', key)
  const before = inside.entered
  const second = await post(' { "tone": "dry", "text" : "once" } ', key)
  expect(second.status).toBe(201)
  expect(second.body).toEqual(first.body)
  expect(inside.entered).toBe(before)
  expect(first.headers.get('idempotency-replayed')).toBeNull()
  expect(second.headers.get('idempotency-replayed')).toBe('true')
})

test('the same key with other content is refused; secrets do not count as content', async () => {
  const key = { 'idempotency-key': randomUUID() }
  await post({ text: 'a', secret: '1' }, key)
  expect((await post({ text: 'b' }, key)).body.type).toBe(
    'https://microbank.dev/problems/idempotency-key-reused',
  )
  expect((await post({ text: 'a', secret: '2' }, key)).status).toBe(201)
})

test('another user’s equal key is another key', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const first = await post({ text: 'mine' }, key)
  const other = await post({ text: 'mine' }, key, await token({ userId: bob }))
  expect(other.body.by).toBe(bob)
  expect(other.body.id).not.toBe(first.body.id)
})

test('while the first is still running, the same key is 409', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const before = inside.entered
  const first = post({ text: 'slow' }, key)
  await until(() => inside.entered > before)
  expect((await post({ text: 'slow' }, key)).body.type).toBe(
    'https://microbank.dev/problems/idempotency-key-in-use',
  )
  inside.open()
  expect((await first).status).toBe(201)
})

test('a request that failed leaves its key unused, and its answer tells nothing of the inside', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const failed = await post({ text: 'defect' }, key)
  expect(failed.status).toBe(500)
  expect(JSON.stringify(failed.body)).not.toMatch(/secret_column|\.ts|at /)
  expect((await post({ text: 'better' }, key)).status).toBe(201)
})

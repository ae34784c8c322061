import { randomUUID } from 'node:crypto'
import { token } from '../../../tests/support/host.ts'
import { until } from '../../../tests/support/until.ts'
import { createLog } from '../../../monitoring/log.ts'
import { testDatabase } from '../../../tests/support/databases.ts'
import { openDatabase } from './database.ts'
import { forgetOldKeys } from './idempotency.ts'
import { inside, startNotes } from '../testing/notes-fixture.ts'

const bob = randomUUID()
let host: Awaited<ReturnType<typeof startNotes>>

beforeAll(async () => {
  host = await startNotes()
})

afterAll(() => host?.stop())

test('the same key and content get the first answer again, without a second effect', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const first = await host.post('{"text":"once","tone":"dry"}', key)
  const before = inside.entered
  const second = await host.post(' { "tone": "dry", "text" : "once" } ', key)
  expect(second.status).toBe(201)
  expect(second.body).toEqual(first.body)
  expect(inside.entered).toBe(before)
  expect(first.headers.get('idempotency-replayed')).toBeNull()
  expect(second.headers.get('idempotency-replayed')).toBe('true')
})

test('the same key with other content is refused; secrets do not count as content', async () => {
  const key = { 'idempotency-key': randomUUID() }
  await host.post({ text: 'a', secret: '1' }, key)
  expect((await host.post({ text: 'b' }, key)).body.type).toBe(
    'https://microbank.dev/problems/idempotency-key-reused',
  )
  expect((await host.post({ text: 'a', secret: '2' }, key)).status).toBe(201)
})

test('the same key of another user is another key', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const first = await host.post({ text: 'mine' }, key)
  const other = await host.post({ text: 'mine' }, key, await token({ userId: bob }))
  expect(other.body.by).toBe(bob)
  expect(other.body.id).not.toBe(first.body.id)
})

test('while the first request is still running, the same key is 409', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const before = inside.entered
  const first = host.post({ text: 'slow' }, key)
  await until(() => inside.entered > before)
  expect((await host.post({ text: 'slow' }, key)).body.type).toBe(
    'https://microbank.dev/problems/idempotency-key-in-use',
  )
  inside.open()
  expect((await first).status).toBe(201)
})

test('a request that failed leaves its key unused, and its answer shows no internals', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const failed = await host.post({ text: 'defect' }, key)
  expect(failed.status).toBe(500)
  expect(JSON.stringify(failed.body)).not.toMatch(/secret_column|\.ts|at /)
  expect((await host.post({ text: 'better' }, key)).status).toBe(201)
})

test('keys are forgotten after a week, however many, and no sooner', async () => {
  const database = await testDatabase('notifications')
  const db = openDatabase({
    url: database.url,
    poolMax: 4,
    name: 'keys',
    log: createLog({}, 'error', () => {}),
  })
  await db.query({
    text: `insert into idempotency_keys (id, request_hash, operation, created_at)
      select uuidv7(), '', 'notes', now() - interval '7 days' + (case when n <= 12000 then -1 else 1 end) * interval '1 hour'
      from generate_series(1, 12003) n`,
  })
  const forgotten = await Promise.all([forgetOldKeys(db), forgetOldKeys(db)])
  expect(forgotten[0] + forgotten[1]).toBe(12_000)
  expect(await db.query({ text: 'select from idempotency_keys' })).toHaveLength(3)
  await db.close()
  await database.drop()
})

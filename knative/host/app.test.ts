import { randomUUID } from 'node:crypto'
import type { EventContract } from '../../eventing/contracts/contract.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import { once } from './idempotency.ts'
import { operation, route } from './operation.ts'

const noted: EventContract<{ text: string }> = {
  type: 'note.taken',
  version: 1,
  context: 'notifications',
  description: 'Somebody took a note.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['text'],
    properties: { text: { type: 'string' } },
  },
  example: { text: 'a note' },
}

const received: unknown[] = []
let release: () => void = () => {}
let entered = 0

/** A small operation that shows what the host does for each; it keeps idempotency keys in a real database. */
const notes = operation({
  name: 'notes',
  context: 'notifications',
  summary: 'Keeps notes',
  consumes: {
    contracts: [noted],
    receive: async (event) => void received.push(event.data),
  },
  routes: [
    route({
      method: 'POST',
      path: '/notes',
      who: 'signed-in',
      summary: 'Takes a note',
      idempotent: true,
      async: true,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['text'],
        properties: {
          text: { type: 'string', minLength: 1 },
          secret: { type: 'string', 'x-secret': true },
        },
      },
      answers: { 201: { type: 'object' } },
      handle: ({ body, caller, idempotencyKey, respondAsync }, { db }) =>
        db.transaction((tx) =>
          once(tx, 'notes', idempotencyKey, async () => {
            entered++
            if (body.text === 'defect') throw new Error('select secret_column from inside')
            if (body.text === 'slow') await new Promise<void>((resolve) => (release = resolve))
            const note = { id: randomUUID(), text: body.text, by: caller.userId, async: respondAsync }
            return { status: 201, body: note }
          }),
        ),
    }),
    route({
      method: 'GET',
      path: '/notes/{id}',
      who: 'operator',
      summary: 'Shows a note',
      params: {
        type: 'object',
        additionalProperties: false,
        required: ['id'],
        properties: { id: { type: 'string', format: 'uuid' } },
      },
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { limit: { type: 'integer', maximum: 9 } },
      },
      answers: { 200: { type: 'object' } },
      handle: async ({ params, query, traceparent }) => ({
        status: 200,
        body: { id: params.id, limit: query.limit, traceparent },
      }),
    }),
  ],
})

const ada = randomUUID()
const bob = randomUUID()
let database: TestDatabase
let host: TestFunction
let adaToken: string

beforeAll(async () => {
  database = await testDatabase('notifications')
  host = await startFunction(notes, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: 'http://127.0.0.1:9/',
  })
  adaToken = await token({ userId: ada })
})

afterAll(async () => {
  await host?.stop()
  await database?.drop()
})

const post = (body: unknown, headers: Record<string, string> = {}, bearer = adaToken) =>
  host.request('POST', '/notes', { token: bearer, body, headers })

describe('what the host refuses before the operation sees it', () => {
  test.each([
    ['an unknown field', { text: 'a', txet: 'b' }, '/txet', 'is not known here'],
    ['a missing field', {}, '/text', 'is required'],
    ['a field of the wrong type', { text: 7 }, '/text', 'must be string'],
    ['a field that is a prototype', '{"text":"a","__proto__":{"x":1}}', '/__proto__', 'is not known here'],
  ])('%s is invalid input, with its path', async (_what, body, path, message) => {
    const { status, headers, body: answer } = await post(body)
    expect(status).toBe(400)
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(answer).toMatchObject({
      type: 'https://microbank.dev/problems/invalid-input',
      status: 400,
      errors: [{ path, message }],
    })
  })

  test('no body at all is invalid input too', async () => {
    const { status, body } = await host.request('POST', '/notes', { token: adaToken })
    expect(status).toBe(400)
    expect(body.errors).toEqual([{ path: '/text', message: 'is required' }])
  })

  test.each([
    ['rubbish', '{"text"', 'application/json', 400, 'invalid-json'],
    ['a bare string', '"text"', 'application/json', 400, 'invalid-json'],
    [
      'over 100 kB',
      JSON.stringify({ text: 'x'.repeat(101 * 1024) }),
      'application/json',
      413,
      'payload-too-large',
    ],
    ['another content type', 'text=a', 'application/x-www-form-urlencoded', 415, 'unsupported-media-type'],
    ['another charset', '{"text":"a"}', 'application/json; charset=latin1', 415, 'unsupported-media-type'],
  ])('a body that is %s gets its problem', async (_what, body, type, status, name) => {
    const answer = await post(body, { 'content-type': type })
    expect(answer.status).toBe(status)
    expect(answer.body.type).toBe(`https://microbank.dev/problems/${name}`)
  })

  test('a compressed body is refused, so that none can grow on arrival', async () => {
    expect((await post('{"text":"a"}', { 'content-encoding': 'gzip' })).status).toBe(415)
  })

  test('an unknown path is 404 and a wrong method 405 with Allow', async () => {
    expect((await host.request('GET', '/nowhere')).status).toBe(404)
    const wrong = await host.request('DELETE', '/notes', { token: adaToken })
    expect(wrong.status).toBe(405)
    expect(wrong.headers.get('allow')).toBe('POST')
  })

  test('no token and a bad token are 401 with WWW-Authenticate', async () => {
    for (const headers of [{}, { authorization: 'Bearer rubbish' }, { authorization: 'Basic YTpi' }]) {
      const answer = await host.request('POST', '/notes', { body: { text: 'a' }, headers })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
    }
  })

  test('a customer on an operator’s route is 403', async () => {
    const { status, body } = await host.request('GET', `/notes/${randomUUID()}`, { token: adaToken })
    expect([status, body.type]).toEqual([403, 'https://microbank.dev/problems/forbidden'])
  })

  test('an ill-formed id in a path is 404, an ill-formed or repeated query parameter 400', async () => {
    const operator = await token({ userId: bob, role: 'operator' })
    const get = (path: string) => host.request('GET', path, { token: operator })
    expect((await get('/notes/7')).status).toBe(404)
    expect((await get(`/notes/urn:uuid:${bob}`)).status).toBe(404)
    expect((await get(`/notes/${bob}?limit=x`)).body.errors).toEqual([
      { path: '/limit', message: 'must be integer' },
    ])
    expect((await get(`/notes/${bob}?limit=10`)).status).toBe(400)
    expect((await get(`/notes/${bob}?limit=1&limit=2`)).status).toBe(400)
    expect((await get(`/notes/${bob}?offset=2`)).status).toBe(400)
    expect((await get(`/notes/${bob}?limit=3`)).body.limit).toBe(3)
  })

  test('a malformed Idempotency-Key is invalid input', async () => {
    for (const key of ['with space', 'x'.repeat(256)]) {
      expect((await post({ text: 'a' }, { 'idempotency-key': key })).status).toBe(400)
    }
  })
})

describe('idempotency', () => {
  test('the same key and content gets the first answer again, without a second effect', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const first = await post({ text: 'once' }, key)
    const before = entered
    const second = await post(' { "text" : "once" } ', key)
    expect(second.status).toBe(201)
    expect(second.body).toEqual(first.body)
    expect(entered).toBe(before)
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
    const before = entered
    const first = post({ text: 'slow' }, key)
    await until(() => entered > before)
    expect((await post({ text: 'slow' }, key)).body.type).toBe(
      'https://microbank.dev/problems/idempotency-key-in-use',
    )
    release()
    expect((await first).status).toBe(201)
  })

  test('a request that failed leaves its key unused, and its answer tells nothing of the inside', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const failed = await post({ text: 'defect' }, key)
    expect(failed.status).toBe(500)
    expect(JSON.stringify(failed.body)).not.toMatch(/secret_column|\.ts|at /)
    expect((await post({ text: 'better' }, key)).status).toBe(201)
  })
})

describe('events', () => {
  const deliver = (data: unknown, headers: Record<string, string> = {}) =>
    host.request('POST', '/events', {
      body: data,
      headers: {
        host: 'notes.bank.svc.cluster.local',
        'ce-specversion': '1.0',
        'ce-id': randomUUID(),
        'ce-type': noted.type,
        'ce-source': '/microbank/notifications',
        ...headers,
      },
    })

  test('one that keeps its contract is handed over, and answered without a body', async () => {
    const { status, body } = await deliver({ text: 'hello' })
    expect([status, body]).toEqual([204, ''])
    expect(received).toContainEqual({ text: 'hello' })
  })

  test.each([
    ['data that breaks the contract', { text: 1 }, {}],
    ['another version', { text: 'a' }, { 'ce-dataschema': 'https://microbank.dev/events/note.taken/2' }],
    ['another type', { text: 'a' }, { 'ce-type': 'note.lost' }],
    ['no event at all', { text: 'a' }, { 'ce-specversion': '' }],
    ['an event without an id', { text: 'a' }, { 'ce-id': '' }],
  ])('%s is answered 5xx, so that the Broker keeps it', async (_what, data, headers) => {
    const before = received.length
    expect((await deliver(data, headers)).status).toBe(500)
    expect(received).toHaveLength(before)
  })

  test('nobody but the platform finds the endpoint', async () => {
    expect((await deliver({ text: 'forged' }, { host: 'notes.microbank.localhost' })).status).toBe(404)
  })
})

test('a trace goes on: the same trace id, a span of its own; a malformed one is replaced', async () => {
  const operator = await token({ userId: bob, role: 'operator' })
  const trace = async (traceparent: string) =>
    (await host.request('GET', `/notes/${bob}`, { token: operator, headers: { traceparent } })).body
      .traceparent
  const came = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  expect(await trace(came)).toMatch(
    /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/,
  )
  expect(await trace('rubbish')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
})

test('Prefer: respond-async reaches an operation that honours it', async () => {
  expect((await post({ text: 'a' }, { prefer: 'wait=5, respond-async' })).body.async).toBe(true)
  expect((await post({ text: 'a' })).body.async).toBe(false)
})

test('metrics name the route as declared and the class of the status', async () => {
  await host.request('GET', `/notes/${randomUUID()}`)
  const { body } = await host.request('GET', '/metrics')
  expect(body).toMatch(
    /http_requests_total\{method="GET",handler="\/notes\/\{id\}",status="4xx",service="notes"\} \d+/,
  )
  expect(body).toMatch(
    /http_request_duration_seconds_bucket\{le="0.001",service="notes",method="POST",handler="\/notes"/,
  )
})

test('without a database a request is 503 with Retry-After, and health says so', async () => {
  const cut = await startFunction(notes, { NOTIFICATIONS_DATABASE_URL: 'postgres://x:y@127.0.0.1:9/x' })
  try {
    const answer = await cut.request('POST', '/notes', { token: adaToken, body: { text: 'a' } })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect((await cut.request('GET', '/health')).status).toBe(503)
    expect((await cut.request('GET', '/healthz')).status).toBe(200)
  } finally {
    await cut.stop()
  }
})

test('a function that is told to stop finishes what it began', async () => {
  const stopping = await startFunction(notes, { NOTIFICATIONS_DATABASE_URL: database.url })
  const before = entered
  const answer = stopping.request('POST', '/notes', { token: adaToken, body: { text: 'slow' } })
  await until(() => entered > before)
  const stopped = stopping.stop()
  await until(async () => (await stopping.request('GET', '/readyz')).status === 503)
  release()
  expect((await answer).status).toBe(201)
  await stopped
  await expect(stopping.request('GET', '/healthz')).rejects.toThrow()
})

test('a missing setting stops the start with a sentence that names it', async () => {
  await expect(startFunction(notes, { JWKS: '' })).rejects.toThrow(
    /NOTIFICATIONS_DATABASE_URL is missing: expected/,
  )
  await expect(startFunction(notes, { NOTIFICATIONS_DATABASE_URL: 'mysql://x' })).rejects.toThrow(
    /must begin with postgres:/,
  )
})

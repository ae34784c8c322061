import { randomUUID } from 'node:crypto'
import { startFunction, token } from '../../../tests/support/host.ts'
import { startMeter } from '../../../monitoring/meter/meter-fixture.ts'
import { stopUnhurried, whileClockStops } from '../../../tests/support/stopped-clock.ts'
import { until } from '../../../tests/support/until.ts'
import { operation, route } from '../operation.ts'
import { inside, notes, startNotes } from '../testing/notes-fixture.ts'
import { NO_UNSEEN } from '../values/unseen.ts'

const bob = randomUUID()
let host: Awaited<ReturnType<typeof startNotes>>

beforeAll(async () => {
  host = await startNotes()
})

afterAll(() => host?.stop())

// This test comes first, because it is about what a process does once.
test('the first answer tells how the process started, one answer how long its first query took, no other tells either', async () => {
  const timings: (string | null)[] = []
  for (const path of ['/healthz', '/health', '/health'])
    timings.push((await host.request('GET', path)).headers.get('server-timing'))
  const [first, ...others] = timings as [string, ...(string | null)[]]
  expect(first).toMatch(
    /^boot;dur=[\d.]+;desc="notes", load;dur=[\d.]+;desc="notes"(, db;dur=[\d.]+;desc="notes")?$/,
  )
  // After a second the process asks the database by itself, which may be before its first answer.
  expect(others).toEqual(
    first.includes('db;') ? [null, null] : [expect.stringMatching(/^db;dur=[\d.]+;desc="notes"$/), null],
  )
})

describe('what the host refuses before the operation sees it', () => {
  test.each([
    ['an unknown field', { text: 'a', txet: 'b' }, '/txet', 'is not known here'],
    ['a missing field', {}, '/text', 'is required'],
    ['a field of the wrong type', { text: 7 }, '/text', 'must be string'],
    ['an unseen mark', { text: 'a', tone: 'b\u202ec' }, '/tone', NO_UNSEEN],
    ['a field named like a prototype', '{"text":"a","__proto__":{"x":1}}', '/__proto__', 'is not known here'],
  ])('%s is invalid input, with its path', async (_what, body, path, message) => {
    const { status, headers, body: answer } = await host.post(body)
    expect(status).toBe(400)
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(answer).toMatchObject({
      type: 'https://microbank.dev/problems/invalid-input',
      status: 400,
      errors: [{ path, message }],
    })
  })

  test('no body at all is invalid input too', async () => {
    const { status, body } = await host.request('POST', '/notes', { token: host.adaToken })
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
    const answer = await host.post(body, { 'content-type': type })
    expect(answer.status).toBe(status)
    expect(answer.body.type).toBe(`https://microbank.dev/problems/${name}`)
  })

  test('a compressed body is refused, so that no body can grow after it arrived', async () => {
    expect((await host.post('{"text":"a"}', { 'content-encoding': 'gzip' })).status).toBe(415)
  })

  test('an unknown path is 404 and a wrong method 405 with Allow', async () => {
    expect((await host.request('GET', '/nowhere')).status).toBe(404)
    const wrong = await host.request('DELETE', '/notes', { token: host.adaToken })
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
    const { status, body } = await host.request('GET', `/notes/${randomUUID()}`, { token: host.adaToken })
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
    expect((await get(`/notes/${bob}?limit=${'9'.repeat(400)}`)).body.errors).toEqual([
      { path: '/limit', message: 'must be <= 9' },
    ])
    for (const asJavaScriptReads of ['0x3', '3e0', '%203', '+3', '3.5', ''])
      expect((await get(`/notes/${bob}?limit=${asJavaScriptReads}`)).body.errors).toEqual([
        { path: '/limit', message: 'must be integer' },
      ])
    for (const noCharacter of ['%ff', '%', '%e2%82'])
      expect((await get(`/notes/${bob}?limit=3&text=${noCharacter}`)).body.detail).toMatch(/in UTF-8/)
    expect((await get(`/notes/${bob}%00`)).status).toBe(400)
    expect((await get(`/notes/${bob}?limit=1&limit=2`)).status).toBe(400)
    expect((await get(`/notes/${bob}?offset=2`)).status).toBe(400)
    expect((await get(`/notes/${bob}?__proto__=2`)).status).toBe(400)
    expect((await get(`/notes/${bob}?limit=3`)).body.limit).toBe(3)
    expect((await get(`/notes/${bob}?limit=3.0`)).body.limit).toBe(3)
  })

  test('a malformed Idempotency-Key is invalid input', async () => {
    for (const key of ['with space', 'x'.repeat(256)]) {
      expect((await host.post({ text: 'a' }, { 'idempotency-key': key })).status).toBe(400)
    }
  })
})

test('a trace continues with the same trace id and a new span; a malformed trace is replaced', async () => {
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
  expect((await host.post({ text: 'a' }, { prefer: 'wait=5, respond-async' })).body.async).toBe(true)
  expect((await host.post({ text: 'a' })).body.async).toBe(false)
})

test('metrics name the route as declared and the class of the status', async () => {
  const taken = await startMeter()
  const measured = await startFunction(notes, {
    NOTIFICATIONS_DATABASE_URL: host.databaseUrl,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: taken.endpoint,
  })
  await measured.request('GET', `/notes/${randomUUID()}`)
  await measured.request('GET', '/healthz')
  await measured.request('POST', '/notes', { token: host.adaToken, body: { text: 'a' } })
  await stopUnhurried(measured)
  const { text } = await taken.meter.expose()
  await taken.close()
  const route = 'service="notes",method="GET",handler="/notes/{id}"'
  expect(text).toContain(`http_requests_total{${route},status="4xx"} 1`)
  expect(text).toContain('http_requests_total{service="notes",method="POST",handler="/notes",status="2xx"} 1')
  expect(text).toContain(`http_request_duration_seconds_count{${route},status="4xx"} 1`)
  expect(text).toContain('http_request_duration_highr_seconds_count{service="notes"} 2')
  expect(text).toContain('http_request_size_bytes_sum{service="notes",method="POST",handler="/notes"} 12')
  const [, written] =
    /http_response_size_bytes_sum{service="notes",method="POST",handler="\/notes"} (\d+)/.exec(text)!
  expect(Number(written)).toBeGreaterThan(100)
  expect(text).toContain('microbank_refusals_total{service="notes",refusal="unauthenticated"} 1')
  expect(text).not.toContain('handler="/healthz"')
})

test('what a function logs of a failure has its SQLSTATE, and each line tells processes apart', async () => {
  const lines: string[] = []
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0)
  const broken = operation({
    ...{ name: 'broken', context: 'notifications', summary: 'Fails' },
    routes: [
      route({
        ...{ method: 'GET', path: '/broken', who: 'signed-in', summary: 'Fails' },
        audits: { nothing: 'it is kept nowhere' },
        answers: { 200: { type: 'object' } },
        handle: async (_request, { db }) => ({
          status: 200,
          body: await db.query({ name: 'divide', text: 'select 1 / 0 as one', values: [] }),
        }),
      }),
    ],
  })
  const settings = { NOTIFICATIONS_DATABASE_URL: host.databaseUrl, LOG_LEVEL: 'info' }
  for (const failing of [await startFunction(broken, settings), await startFunction(broken, settings)]) {
    expect((await failing.request('GET', '/broken', { token: host.adaToken })).status).toBe(500)
    await failing.stop()
  }
  write.mockRestore()
  const logged = lines.map((line) => JSON.parse(line) as Record<string, string>)
  const failed = logged.filter(({ message }) => message === 'request failed')
  expect(failed.map(({ sqlstate }) => sqlstate)).toEqual(['22012', '22012'])
  for (const { instance } of logged) expect(instance).toMatch(/^[0-9a-f]{16}$/)
  expect(new Set(logged.map(({ instance }) => instance)).size).toBe(2)
})

test('without a database a request is 503 with Retry-After, and health says so', async () => {
  const cut = await startFunction(notes, { NOTIFICATIONS_DATABASE_URL: 'postgres://x:y@127.0.0.1:9/x' })
  try {
    const answer = await cut.request('POST', '/notes', { token: host.adaToken, body: { text: 'a' } })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect((await cut.request('GET', '/health')).status).toBe(503)
    expect((await cut.request('GET', '/healthz')).status).toBe(200)
  } finally {
    await cut.stop()
  }
})

test('a function that is told to stop finishes the requests it has begun', async () => {
  const stopping = await startFunction(notes, { NOTIFICATIONS_DATABASE_URL: host.databaseUrl })
  const before = inside.entered
  const answer = stopping.request('POST', '/notes', { token: host.adaToken, body: { text: 'slow' } })
  await until(() => inside.entered > before)
  const stopped = stopping.stop()
  await until(async () => (await stopping.request('GET', '/readyz')).status === 503)
  inside.open()
  expect((await answer).status).toBe(201)
  await stopped
  await expect(stopping.request('GET', '/healthz')).rejects.toThrow()
})

test('a function that is told to stop still answers what the platform sends it for a moment', async () => {
  const env = { NOTIFICATIONS_DATABASE_URL: host.databaseUrl }
  const stopping = await startFunction(notes, env, [], { quietMs: 1_000 })
  await whileClockStops(async (pass) => {
    let isStopped = false
    void stopping.stop().then(() => (isStopped = true))
    await pass(900)
    expect((await stopping.request('GET', '/healthz')).status).toBe(200)
    await until(async () => (await pass(100), isStopped))
  })
})

test('a missing setting stops the start with a message that names it', async () => {
  await expect(startFunction(notes, { JWKS: '' })).rejects.toThrow(
    /NOTIFICATIONS_DATABASE_URL is missing: expected/,
  )
  await expect(startFunction(notes, { NOTIFICATIONS_DATABASE_URL: 'mysql://x' })).rejects.toThrow(
    /must begin with postgres:/,
  )
})

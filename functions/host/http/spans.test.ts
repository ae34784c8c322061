import { randomUUID } from 'node:crypto'
import { startCollector, type Collector } from '../../../monitoring/collector-fixture.ts'
import { startSpan } from '../../../monitoring/trace.ts'
import { startFunction, token, type TestFunction } from '../../../tests/support/host.ts'
import { stopUnhurried } from '../../../tests/support/stopped-clock.ts'
import { until } from '../../../tests/support/until.ts'
import { noted, notes, startNotes } from '../testing/notes-fixture.ts'

const parent = startSpan(undefined)
const traceparent = `00-${parent.traceId}-${parent.spanId}-01`
const other = startSpan(undefined)

let untraced: Awaited<ReturnType<typeof startNotes>>
let collector: Collector
let host: TestFunction

beforeAll(async () => {
  untraced = await startNotes()
})

afterAll(() => untraced.stop())

beforeEach(async () => {
  collector = await startCollector()
  host = await startFunction(notes, {
    NOTIFICATIONS_DATABASE_URL: untraced.databaseUrl,
    K_REVISION: 'notes-00007',
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.endpoint}/`,
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20secret, x-tenant=bank',
  })
})

afterEach(() => collector.close())

const post = (text: string, headers: Record<string, string> = {}) =>
  host.request('POST', '/notes', { token: untraced.adaToken, body: { text }, headers })

test('who comes by the function’s own host gets no more spans than may begin, whatever they want', async () => {
  await host.stop()
  host = await startFunction(notes, {
    NOTIFICATIONS_DATABASE_URL: untraced.databaseUrl,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    TRACES_PER_SECOND_MAX: '1',
  })
  const operator = await token({ userId: randomUUID(), role: 'operator' })
  const flagsAt = async (name: string): Promise<string> => {
    const headers = { traceparent, host: name }
    const { body } = await host.request('GET', `/notes/${randomUUID()}`, { token: operator, headers })
    const { traceparent: own } = body as { traceparent: string }
    expect(own.split('-')[1]).toBe(parent.traceId)
    return own.split('-')[3]!
  }
  // Five may begin at once, and one a second after that.
  const flags = await Promise.all(Array.from({ length: 200 }, () => flagsAt('notes.bank.example.org')))
  expect(new Set(flags)).toEqual(new Set(['01', '00']))
  // What the front door and other functions have let in goes on.
  const inside = await Promise.all(Array.from({ length: 20 }, () => flagsAt('notes.bank.svc.cluster.local')))
  expect(new Set(inside)).toEqual(new Set(['01']))
  await stopUnhurried(host)
})

test('a request’s span is a child of its caller’s, with the attributes of the conventions', async () => {
  await post('hello', { traceparent })
  const { status } = await host.request('GET', `/notes/${parent.traceId}?limit=3`, {
    headers: { traceparent },
  })
  expect(status).toBe(401)
  await stopUnhurried(host)
  expect(collector.exports[0]).toMatchObject({
    url: '/v1/traces',
    headers: { 'api-key': 'a secret', 'x-tenant': 'bank', 'content-type': 'application/json' },
  })
  const [first, second] = collector.spans
  expect(first).toMatchObject({
    traceId: parent.traceId,
    parentSpanId: parent.spanId,
    name: 'POST /notes',
    kind: 2,
    status: { code: 0 },
    resource: { 'service.namespace': 'microbank', 'service.name': 'notes', 'faas.version': 'notes-00007' },
  })
  expect(first!.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/notes',
    'http.response.status_code': 201,
    'url.path': '/notes',
    'url.scheme': 'http',
    'faas.coldstart': true,
  })
  expect(second!.attributes).toEqual({
    'http.request.method': 'GET',
    'http.route': '/notes/{id}',
    'http.response.status_code': 401,
    'url.path': `/notes/${parent.traceId}`,
    'url.scheme': 'http',
  })
})

test('the span that the handler passes on is the one that is exported', async () => {
  const operator = await token({ userId: randomUUID(), role: 'operator' })
  const { body } = await host.request('GET', `/notes/${randomUUID()}`, { token: operator })
  await stopUnhurried(host)
  const [span] = collector.spans
  expect(body.traceparent).toBe(`00-${span!.traceId}-${span!.spanId}-01`)
  expect(span!.parentSpanId).toBeUndefined()
})

test('a failed request is marked as an error, a refused one is not', async () => {
  await post('defect')
  await post('')
  await stopUnhurried(host)
  expect(collector.spans).toMatchObject([
    { status: { code: 2 }, attributes: { 'error.type': '500' } },
    { status: { code: 0 }, attributes: { 'http.response.status_code': 400 } },
  ])
})

test('a delivery’s span belongs to the trace that emitted the event, not to the trace that delivered it', async () => {
  await host.request('POST', '/events', {
    body: { text: 'hello' },
    headers: {
      host: 'notes.bank.svc.cluster.local',
      traceparent: `00-${other.traceId}-${other.spanId}-01`,
      'ce-specversion': '1.0',
      'ce-id': 'note-1',
      'ce-type': noted.type,
      'ce-source': '/microbank/notifications',
      'ce-traceparent': traceparent,
    },
  })
  await stopUnhurried(host)
  expect(collector.spans).toMatchObject([
    {
      traceId: parent.traceId,
      parentSpanId: parent.spanId,
      name: 'process note.taken',
      kind: 5,
      attributes: {
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'note.taken',
        'cloudevents.event_type': 'note.taken',
        'cloudevents.event_id': 'note-1',
      },
      links: [{ traceId: other.traceId, spanId: other.spanId }],
    },
  ])
})

test('the platform’s requests, unknown addresses and unsampled traces leave no spans', async () => {
  for (const path of ['/healthz', '/readyz', '/health', '/metrics', '/.env']) await host.request('GET', path)
  await post('hello', { traceparent: traceparent.replace(/01$/, '00') })
  await stopUnhurried(host)
  expect(collector.exports).toEqual([])
})

test('a collector that hangs delays no request, and the process still stops', async () => {
  collector.mode = 'hang'
  await post('one')
  await until(() => collector.exports.length > 0, { what: 'an export' })
  expect((await post('two')).status).toBe(201)
  await host.stop()
  expect(collector.spans).toEqual([])
})

test.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'secret'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
])('%s=%s stops the start, with what was expected', async (name, value) => {
  await host.stop()
  const env = { NOTIFICATIONS_DATABASE_URL: untraced.databaseUrl, [name]: value }
  await expect(startFunction(notes, env)).rejects.toThrow(new RegExp(`^${name} .* must be`))
})

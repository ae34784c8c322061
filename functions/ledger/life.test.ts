import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { KeptSpans, type OtlpTraces } from '../../monitoring/meter/kept-spans.ts'
import notifications from '../notifications/notifications.ts'
import notify from '../notifications/notify.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { request, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import life from './life.ts'
import {
  alice,
  deposit,
  testLedger,
  transfer as transferOf,
  type TestLedger,
} from './testing/ledger-fixture.ts'
import { tamper } from './testing/seals-fixture.ts'
import transfer from './transfer.ts'

/** The life of a transaction, over the real functions and databases of both contexts, and the real meter's
 * spans. */

const SPANS = 'http://meter.monitoring.svc.cluster.local:4318'
/** As knative/config.yaml has it. */
const JAEGER = 'http://jaeger.monitoring.svc.cluster.local:16686/api/v3/traces/'
const bob = randomUUID()
const spans = new KeptSpans()
const events: { headers: http.IncomingHttpHeaders; body: string }[] = []
let away = new Set<string>()
/** Exports of this function's spans are kept back in `late`. */
let lateName: string | undefined
let late: string[] = []
/** The Broker answers only then. */
let brokerAnswers: Promise<void> | undefined
let ledger: TestLedger
let stored: TestDatabase
let functions: Record<
  'transfer' | 'notify' | 'notifications' | 'life' | 'untraced' | 'byJaeger',
  TestFunction
>
let bearer: Record<'alice' | 'bob' | 'eve' | 'operator', string>
let from: string
let to: string

/** Stands in for the gateway: finds the function, the meter or the Broker by the Host header. */
const gateway = http.createServer((incoming, response) => {
  const [name = ''] = (incoming.headers.host ?? '').split('.')
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('end', () => void answer(name, incoming, Buffer.concat(chunks).toString(), response))
})

async function answer(
  name: string,
  { method = '', url = '', headers }: http.IncomingMessage,
  body: string,
  response: http.ServerResponse,
): Promise<void> {
  if (away.has(name)) return void response.writeHead(500).end()
  if (name === 'meter' && method === 'POST') {
    if (lateName !== undefined && serviceOf(body) === lateName) late.push(body)
    else spans.take(body)
  }
  if (name === 'meter')
    return void response.end(method === 'POST' ? '{}' : spans.trace(url.split('/').at(-1)!))
  if (name === 'jaeger') {
    const told = spans.trace(url.split('/').at(-1)!)
    const isKnown = (JSON.parse(told) as OtlpTraces).resourceSpans.length > 0
    if (isKnown && url.startsWith('/api/v3/traces/')) return void response.end(`{"result":${told}}`)
    return void response.writeHead(404).end('{"error":{"httpCode":404,"message":"No traces found"}}')
  }
  if (name !== 'notifications') {
    events.push({ headers, body })
    await brokerAnswers
    return void response.writeHead(202).end()
  }
  const { authorization = '', traceparent = '' } = headers
  const given = { headers: { authorization, traceparent: String(traceparent) } }
  const told = await request(method, functions.notifications.url + url, given)
  response.writeHead(told.status, { 'content-type': 'application/json' }).end(JSON.stringify(told.body))
}

beforeAll(async () => {
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  ledger = await testLedger()
  stored = await testDatabase('notifications')
  const env = {
    LEDGER_DATABASE_URL: ledger.database.url,
    NOTIFICATIONS_DATABASE_URL: stored.url,
    LOCAL_GATEWAY: `127.0.0.1:${(gateway.address() as AddressInfo).port}`,
  }
  const traced = { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: SPANS, TRACES_URL: `${SPANS}/traces/` }
  functions = {
    transfer: await startFunction(transfer, traced),
    notify: await startFunction(notify, traced),
    notifications: await startFunction(notifications, env),
    life: await startFunction(life, traced),
    untraced: await startFunction(life, env),
    byJaeger: await startFunction(life, { ...env, TRACES_URL: JAEGER }),
  }
  bearer = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    eve: await token({ userId: randomUUID() }),
    operator: await token({ userId: randomUUID(), role: 'operator' }),
  }
  from = await ledger.open()
  to = await ledger.open({ userId: bob })
  await ledger.post(deposit(from, 1_000_00))
})

afterEach(() => {
  away = new Set()
  lateName = undefined
  late = []
})

afterAll(async () => {
  await Promise.all(Object.values(functions).map((running) => running.stop()))
  gateway.closeAllConnections()
  gateway.close()
  await ledger.close()
  await stored.drop()
})

const lifeOf = (
  id: string,
  by: keyof typeof bearer = 'operator',
  of: 'life' | 'untraced' | 'byJaeger' = 'life',
) => functions[of].request('GET', `/transactions/${id}/life`, { token: bearer[by] })

/** Resolves with the life once it is complete. */
const wholeLifeOf = (...which: Parameters<typeof lifeOf>) =>
  until(
    async () => {
      const now = await lifeOf(...which)
      return now.body.complete ? now : undefined
    },
    { what: `the whole life of ${which.join()}` },
  )

/** The function that exports these spans. */
const serviceOf = (body: string): unknown =>
  (JSON.parse(body) as OtlpTraces).resourceSpans[0]?.resource.attributes.find(
    ({ key }) => key === 'service.name',
  )?.value.stringValue

async function post(headers: Record<string, string> = {}): Promise<string> {
  const body = { type: 'transfer', account_id: from, to_account_id: to, amount: '1.00' }
  const { status, body: made } = await functions.transfer.request('POST', '/transactions', {
    token: bearer.alice,
    body,
    headers,
  })
  expect(status).toBe(201)
  return made.id
}

/** Brings the event of a transaction to `notify`, as the Broker does. */
async function deliver(id: string): Promise<void> {
  const { headers, body } = await until(
    () => events.find(({ headers: { 'ce-subject': subject } }) => subject === id),
    { what: 'the event at the Broker' },
  )
  const ce = Object.entries(headers).filter(([name]) => /^ce-|^content-type$/.test(name)) as [
    string,
    string,
  ][]
  const { status } = await functions.notify.request('POST', '/events', {
    body,
    headers: { host: 'notify.bank.svc.cluster.local', ...Object.fromEntries(ce) },
  })
  expect(status).toBe(204)
}

const states = ({ body }: { body: { steps: { step: string; state: string }[] } }) =>
  body.steps.map(({ step, state }) => `${step} ${state}`)

test('is told before it is over, and to its end: plain steps for both owners, everything for operators', async () => {
  const id = await post()
  const early = await lifeOf(id)
  expect([early.status, early.body.complete, states(early).at(-1)]).toEqual([200, false, 'told waiting'])
  await deliver(id)
  const { body } = await wholeLifeOf(id)
  expect(body).toMatchObject({ transaction_id: id, type: 'transfer', status: 'completed', traces: 'found' })
  expect(states({ body })).toEqual(['asked done', 'booked done', 'published done', 'told done'])
  const kinds = body.hops.map(({ kind, lane }: { kind: string; lane: string }) => `${kind} ${lane}`)
  for (const kind of ['work transfer', 'sql ledger-db', 'publish broker', 'work notify'])
    expect(kinds).toContain(kind)
  expect(body.summary.hops).toBe(body.hops.length)
  expect(body.steps[2].at).toBe((await eventLife(body.event_id, '', 'operator')).body.published.at)
  expect(body.steps[2].at).not.toBeNull()
  // Nothing has changed since, so the front door answers 304 to whoever has it.
  expect((await lifeOf(id)).body).toEqual(body)
  expect(body.summary.posting_ms).toBeGreaterThan(0)
  expect(body.cost.gb_seconds).toBeGreaterThan(0)
  expect(body.proof).toMatchObject({
    ...{ currency: 'USD', sum: '0.00', took_effect: 1, dead_letters: [] },
  })
  const entries = body.proof.entries.map(({ account_id, amount, is_chained }: Record<string, unknown>) => [
    account_id,
    amount,
    is_chained,
  ])
  expect(entries).toEqual([
    [from, '-1.00', true],
    [to, '1.00', true],
  ])
  expect(body.proof.entries[0].previous_hash).toMatch(/^[0-9a-f]{64}$/)

  // Only the payer is notified.
  for (const [owner, seen] of [
    ['alice', 4],
    ['bob', 3],
  ] as const) {
    const plain = await lifeOf(id, owner)
    expect([plain.body.complete, states(plain)]).toEqual([true, states({ body }).slice(0, seen)])
    const { trace_id, traces, summary, hops, proof, cost } = plain.body
    expect([trace_id, traces, summary, hops, proof, cost]).toEqual([null, null, null, null, null, null])
  }
})

test('is not complete while a process has not sent its spans, though those of others name them', async () => {
  const [traceId, spanId] = [randomUUID().replaceAll('-', ''), 'f'.repeat(16)]
  lateName = 'transfer'
  const id = await post({ traceparent: `00-${traceId}-${spanId}-01` })
  spans.take(frontDoorSpan(traceId, spanId))
  await deliver(id)
  await until(
    async () => {
      const { hops } = (await lifeOf(id)).body
      return hops.some(({ lane }: { lane: string }) => lane === 'notify') && late.length > 0
    },
    { what: 'the spans of all but the function that posts' },
  )
  const { body: early } = await lifeOf(id)
  expect([early.complete, early.summary.posting_ms]).toEqual([false, null])
  lateName = undefined
  for (const body of late.splice(0)) spans.take(body)
  const { body } = await wholeLifeOf(id)
  expect(body.summary.posting_ms).toBeGreaterThan(0)
})

test('is not complete before it tells when its event was published', async () => {
  let answer = () => {}
  brokerAnswers = new Promise((resolve) => (answer = resolve))
  const id = await post()
  await deliver(id)
  const { body: early } = await until(
    async () => {
      const now = await lifeOf(id)
      const kinds = now.body.hops.map(({ kind, lane }: { kind: string; lane: string }) => `${kind} ${lane}`)
      return kinds.includes('work transfer') && kinds.includes('work notify') ? now : undefined
    },
    { what: 'the spans of all that has ended' },
  )
  expect([early.complete, early.steps[2]]).toMatchObject([false, { step: 'published', at: null }])
  answer()
  brokerAnswers = undefined
  const { body } = await wholeLifeOf(id)
  expect(body.steps[2]).toMatchObject({ step: 'published', state: 'done', at: expect.any(String) })
})

test('works without spans, and without notifications, and says so', async () => {
  const id = await post()
  await deliver(id)
  const bare = await wholeLifeOf(id, 'operator', 'untraced')
  expect(bare.body).toMatchObject({
    ...{ complete: true, traces: 'not-kept', hops: [], cost: null },
    summary: { waking_ms: null, posting_ms: null, hops: null, retries: null, woken: [] },
    proof: { sum: '0.00', delivered: null, took_effect: 1 },
  })
  expect(bare.body.summary.total_ms).toBeGreaterThanOrEqual(0)
  away.add('meter')
  expect((await lifeOf(id)).body.traces).toBe('away')
  away.add('notifications')
  const cut = await lifeOf(id)
  expect([cut.status, states(cut).at(-1), cut.body.proof.took_effect]).toEqual([200, 'told unknown', null])
})

test('a notification that may have been deleted long ago is waited for no more', async () => {
  const id = await post()
  const after = async (days: number) => {
    const text = 'update transactions set created_at = now() - make_interval(days => $2) where id = $1'
    await tamper(ledger, 'transactions', text, [id, days])
    const { body } = await lifeOf(id, 'alice')
    return [...states({ body }).slice(-2), body.complete]
  }
  await until(async () => (await after(99))[0] === 'published done', { what: 'its event to be published' })
  expect(await after(99)).toEqual(['published done', 'told waiting', false])
  expect(await after(101)).toEqual(['published done', 'told unknown', true])
})

test('spans that Jaeger keeps are told likewise, and a trace that it does not have is none', async () => {
  const id = await post()
  await deliver(id)
  const { body } = await wholeLifeOf(id)
  expect((await lifeOf(id, 'operator', 'byJaeger')).body).toEqual(body)
  const unsampled = await post({ traceparent: `00-${'7'.repeat(32)}-${'7'.repeat(16)}-00` })
  expect((await lifeOf(unsampled, 'operator', 'byJaeger')).body).toMatchObject({ traces: 'none', hops: [] })
})

test('an order waits, and an event that nobody could take is a dead letter', async () => {
  await ledger.order(transferOf(from, to, 5))
  const [order] = await ledger.owner.query<{ id: string }>({
    text: `select id from transactions where status = 'pending'`,
  })
  const waiting = await lifeOf(order!.id, 'alice')
  expect([states(waiting), waiting.body]).toMatchObject([
    ['asked done', 'booked waiting'],
    { status: 'pending', event_id: null, complete: false },
  ])

  const id = await post()
  const eventId = (await lifeOf(id)).body.event_id
  const owner = functions.notifications.tools.db
  await owner.query({
    text: `with made as (
        insert into dead_letter_groups (trigger, event_type) values ('notify', 'transaction.completed') returning id
      )
      insert into dead_letters (event_source, event_id, event_type, event, destination, digest, group_id)
      select '/microbank/ledger', $1, 'transaction.completed', '{}', 'http://notify.bank.svc.cluster.local/events',
        '\\x00', id from made`,
    values: [eventId],
  })
  const failed = await lifeOf(id)
  expect([states(failed).at(-1), failed.body.proof.dead_letters.length]).toEqual(['told failed', 1])
  // Dead letters are not for customers.
  expect(states(await lifeOf(id, 'alice')).at(-1)).toBe('told waiting')
})

test('is nobody else’s: no token, another customer, an id that is none', async () => {
  const id = await post()
  expect((await functions.life.request('GET', `/transactions/${id}/life`)).status).toBe(401)
  expect((await lifeOf(id, 'eve')).status).toBe(404)
  expect((await lifeOf(randomUUID())).status).toBe(404)
  expect((await lifeOf('x')).status).toBe(404)
})

test('the notifications of an event are for those they are for', async () => {
  const id = await post()
  await deliver(id)
  const eventId = (await lifeOf(id)).body.event_id
  const path = `/notifications/by-event/${eventId}?source=%2Fmicrobank%2Fledger`
  const ask = (by: keyof typeof bearer) => functions.notifications.request('GET', path, { token: bearer[by] })
  const count = async (by: keyof typeof bearer) => (await ask(by)).body.notifications.length
  expect([await count('alice'), await count('bob'), await count('eve'), await count('operator')]).toEqual([
    1, 0, 0, 1,
  ])
  expect((await functions.notifications.request('GET', path)).status).toBe(401)
  const bare = path.split('?')[0]!
  expect((await functions.notifications.request('GET', bare, { token: bearer.alice })).status).toBe(400)
})

const eventLife = (id: string, query = '', by?: keyof typeof bearer) =>
  functions.life.request('GET', `/events/${id}${query}`, by ? { token: bearer[by] } : {})

test('an event: stored as a fact, published, each attempt, its effect', async () => {
  const id = await post()
  const { event_id: eventId } = (await lifeOf(id)).body
  await deliver(id)
  spans.take(attemptOf(eventId, (await lifeOf(id)).body.trace_id))
  const { body } = await until(
    async () => {
      const now = await eventLife(eventId, '', 'operator')
      return now.body.published.at === null ? undefined : now
    },
    { what: 'the event, with its spans' },
  )
  expect(body).toMatchObject({
    ...{ id: eventId, source: '/microbank/ledger', type: 'transaction.completed', subject: id },
    ...{ transaction_id: id, stored: { context: 'ledger', as: 'fact' }, traces: 'found', dead_letters: [] },
    published: { state: 'done', attempts: null },
    deliveries: [{ trigger: 'notify', attempt: 2, ms: 20, status: 503, error: '503' }],
    effects: [{ user_id: alice }],
  })
  away.add('notifications')
  const cut = await eventLife(eventId, '', 'operator')
  expect([cut.status, cut.body.effects, cut.body.dead_letters]).toEqual([200, null, null])
  expect((await eventLife(randomUUID(), '', 'operator')).status).toBe(503)
})

test('an event of another context, or of nobody: what the notifications know', async () => {
  const eventId = `e/${randomUUID()}`
  const trace = randomUUID().replaceAll('-', '')
  await functions.notifications.tools.db.query({
    text: `with made as (
        insert into dead_letter_groups (trigger, event_type) values ('notify', 'user.registered') returning id
      )
      insert into dead_letters (event_source, event_id, event_type, event, destination, digest, group_id)
      select '/microbank/identity', $1, 'user.registered', json_build_object('traceparent', $2::text),
        'http://notify.bank.svc.cluster.local/events', '\\x00', id from made`,
    values: [eventId, `00-${trace}-${trace.slice(16)}-01`],
  })
  const path = encodeURIComponent(eventId)
  expect((await eventLife(path, '', 'operator')).status).toBe(404)
  const { body } = await eventLife(path, '?source=%2Fmicrobank%2Fidentity', 'operator')
  expect(body).toMatchObject({
    ...{ id: eventId, type: 'user.registered', subject: null, time: null, stored: null },
    ...{ published: { state: 'done', at: null }, traces: 'none', trace_id: trace, deliveries: null },
    ...{ effects: [], dead_letters: [{ status: 'stored', deliveries: 1 }] },
  })
})

test('events are for operators', async () => {
  const { event_id: eventId } = (await lifeOf(await post())).body
  expect((await eventLife(eventId)).status).toBe(401)
  expect((await eventLife(eventId, '', 'alice')).status).toBe(403)
  expect((await eventLife(randomUUID(), '', 'operator')).status).toBe(404)
  expect((await eventLife('x', '', 'operator')).status).toBe(404)
  expect((await eventLife(eventId, '?source=', 'operator')).status).toBe(400)
})

/** The request as the front door exports it. */
const frontDoorSpan = (traceId: string, spanId: string): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'front-door' } }] },
        scopeSpans: [
          {
            spans: [
              {
                ...{ traceId, spanId, name: 'POST /transactions', kind: 2 },
                ...{ startTimeUnixNano: '1800000000000000000', endTimeUnixNano: '1800000000020000000' },
              },
            ],
          },
        ],
      },
    ],
  })

/** A failed attempt of the Broker, as it exports it. */
const attemptOf = (eventId: string, traceId: string): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'broker' } }] },
        scopeSpans: [
          {
            spans: [
              {
                ...{ traceId, spanId: 'a'.repeat(16), name: 'deliver notify', kind: 3, status: { code: 2 } },
                ...{ startTimeUnixNano: '1800000000000000000', endTimeUnixNano: '1800000000020000000' },
                attributes: Object.entries({
                  'messaging.operation.name': 'deliver',
                  'messaging.destination.subscription.name': 'notify',
                  'cloudevents.event_id': eventId,
                  'microbank.attempt': '2',
                  'http.response.status_code': '503',
                  'error.type': '503',
                }).map(([key, value]) => ({ key, value: { stringValue: value } })),
              },
            ],
          },
        ],
      },
    ],
  })

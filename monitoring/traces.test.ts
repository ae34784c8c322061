import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import notify from '../functions/notifications/notify.ts'
import openAccount from '../functions/ledger/open-account.ts'
import transfer from '../functions/ledger/transfer.ts'
import { alice, deposit, testLedger, type TestLedger } from '../functions/ledger/testing/ledger-fixture.ts'
import frontDoor from '../functions/web/front-door.ts'
import { catalogueOf } from '../functions/host/catalogue.ts'
import { startCollector, type Collector, type ReceivedSpan } from './collector-fixture.ts'
import { formatTraceparent, startSpan } from './trace.ts'
import { testDatabase, type TestDatabase } from '../tests/support/databases.ts'
import { request, startFunction, token, type TestFunction } from '../tests/support/host.ts'
import { operations } from '../tests/support/repository.ts'
import { until } from '../tests/support/until.ts'

/** Traces across several functions, as one collector gets them. */

let collector: Collector
let gateway: Gateway
let ledger: TestLedger
let notifications: TestDatabase
let functions: Record<'door' | 'transfer' | 'openAccount' | 'notify', TestFunction>
let bearer: string
let from: string
let to: string

// jest needs seconds to load the libraries for the first time, and a process that stops waits two.
beforeAll(() => import('./otlp.ts'))

beforeEach(async () => {
  collector = await startCollector()
  gateway = await startGateway()
  ledger = await testLedger()
  notifications = await testDatabase('notifications')
  const env = {
    LEDGER_DATABASE_URL: ledger.database.url,
    NOTIFICATIONS_DATABASE_URL: notifications.url,
    LOCAL_GATEWAY: gateway.address,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  }
  functions = {
    door: await startFunction(frontDoor, env, catalogueOf(await operations())),
    transfer: await startFunction(transfer, env),
    openAccount: await startFunction(openAccount, env),
    notify: await startFunction(notify, env),
  }
  gateway.urls.transfer = functions.transfer.url
  bearer = await token({ userId: alice })
  from = await ledger.open()
  to = await ledger.open({ userId: randomUUID() })
  await ledger.post(deposit(from, 1_000_00))
})

afterEach(async () => {
  await stop()
  await gateway.close()
  await ledger.close()
  await notifications.drop()
  await collector.close()
})

const stop = async (): Promise<void> => {
  await Promise.all(Object.values(functions).map((running) => running.stop()))
  functions = {} as typeof functions
}

const body = (): object => ({ type: 'transfer', account_id: from, to_account_id: to, amount: '1.00' })

const named = (name: string, service?: string): ReceivedSpan[] =>
  collector.spans.filter(
    (span) => span.name === name && (!service || span.resource['service.name'] === service),
  )

test('a transfer is one trace, from the front door to the notification', async () => {
  const client = startSpan(undefined)
  const headers = { traceparent: formatTraceparent(client) }
  const answer = await functions.door.request('POST', '/api/transactions', {
    token: bearer,
    body: body(),
    headers,
  })
  expect(answer.status).toBe(201)
  const event = await until(() => gateway.events[0], { what: 'the event at the Broker' })
  const delivery = { host: 'notify.bank.svc.cluster.local', ...ceHeaders(event.headers) }
  await functions.notify.request('POST', '/events', { body: event.body, headers: delivery })
  await stop()

  const [door] = named('POST /api/transactions')
  const [posting] = named('POST /transactions', 'transfer')
  const [query] = named('post-transactions')
  const [sent] = named('send transaction.completed')
  const [received] = named('process transaction.completed', 'notify')
  expect([door, posting, query, sent, received]).toMatchObject([
    { kind: 2, parentSpanId: client.spanId, resource: { 'service.name': 'front-door' } },
    { kind: 2, parentSpanId: door!.spanId, attributes: { 'http.response.status_code': 201 } },
    { kind: 3, parentSpanId: posting!.spanId, attributes: { 'db.system.name': 'postgresql' } },
    {
      kind: 4,
      parentSpanId: posting!.spanId,
      attributes: { 'cloudevents.event_id': event.headers['ce-id'] },
    },
    { kind: 5, parentSpanId: posting!.spanId, status: { code: 0 } },
  ])
  expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([client.traceId]))
  // Spans say neither whose money it was nor how much.
  expect(JSON.stringify(collector.spans)).not.toMatch(new RegExp(`1\\.00|${from}|${to}|${alice}`))
})

test('requests that are posted together share a span: a child of one of them, linked to the others', async () => {
  const send = () => functions.transfer.request('POST', '/transactions', { token: bearer, body: body() })
  const answers = await Promise.all(Array.from({ length: 60 }, send))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
  await stop()
  const requests = named('POST /transactions')
  const batch = named('post-transactions').find(({ links }) => links.length > 0)
  expect(requests).toHaveLength(60)
  const size = Number(batch!.attributes['db.operation.batch.size'])
  expect(batch!.links).toHaveLength(Math.min(size - 1, 32))
  const ids = requests.map(({ traceId, spanId }) => `${traceId}-${spanId}`)
  expect(ids).toContain(`${batch!.traceId}-${batch!.parentSpanId}`)
  for (const { traceId, spanId } of batch!.links) expect(ids).toContain(`${traceId}-${spanId}`)
})

test('a call to another function is a span, and the parent of the other function’s span', async () => {
  const users = await startUsers()
  gateway.urls.users = users.url
  const answer = await functions.openAccount.request('POST', '/accounts', {
    token: await token({ userId: randomUUID(), role: 'operator' }),
    body: { user_id: alice, account_type: 'checking', currency: 'USD' },
  })
  expect([answer.status, answer.body.errors]).toEqual([201, undefined])
  await stop()
  await users.close()
  const [opening] = named('POST /accounts')
  const [call] = named('GET', 'open-account')
  expect(call).toMatchObject({
    kind: 3,
    traceId: opening!.traceId,
    parentSpanId: opening!.spanId,
    attributes: { 'http.response.status_code': 200, 'server.address': 'users.bank.svc.cluster.local' },
  })
  expect(users.traceparents).toEqual([`00-${call!.traceId}-${call!.spanId}-01`])
  expect(named('transaction')).toMatchObject([{ kind: 3, parentSpanId: opening!.spanId }])
})

interface Gateway {
  address: string
  /** Base URLs of functions by name. */
  urls: Record<string, string>
  /** Events that the Broker has stored. */
  events: { headers: http.IncomingHttpHeaders; body: string }[]
  close(): Promise<void>
}

const ceHeaders = (headers: http.IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      /^ce-|^content-type$/.test(name) ? [[name, String(value)]] : [],
    ),
  )

/** Starts a gateway that routes by the Host header, as the cluster's does: to functions, and to a Broker that
 * stores every event. */
async function startGateway(): Promise<Gateway> {
  const gateway: Pick<Gateway, 'urls' | 'events'> = { urls: {}, events: [] }
  const server = await listen(async ({ method = '', url = '', headers }, text) => {
    const [name = ''] = (headers.host ?? '').split('.')
    const target = gateway.urls[name]
    if (!target) {
      gateway.events.push({ headers, body: text })
      return { status: 202, body: '' }
    }
    const { host: _, 'content-length': __, connection: ___, ...passed } = headers
    const answer = await request(method, target + url, {
      headers: passed as Record<string, string>,
      ...(text && { body: text }),
    })
    return { status: answer.status, body: JSON.stringify(answer.body) }
  })
  return Object.assign(gateway, server, { address: server.url.replace('http://', '') })
}

async function startUsers() {
  const traceparents: unknown[] = []
  const server = await listen(async ({ headers }) => {
    traceparents.push(headers.traceparent)
    return { status: 200, body: '{}' }
  })
  return { ...server, traceparents }
}

async function listen(
  reply: (request: http.IncomingMessage, body: string) => Promise<{ status: number; body: string }>,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = http.createServer((incoming, response) => {
    let text = ''
    incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
    incoming.on('end', () => {
      void reply(incoming, text).then(({ status, body: answer }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(answer),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import deadLetters from './dead-letters.ts'

let database: TestDatabase
let host: TestFunction
let operator: string
/** Takes what is redriven, or refuses it. */
let broker: Server
let brokerAnswers = 202
const republished: { type: string | undefined; body: Record<string, unknown> }[] = []

beforeAll(async () => {
  broker = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (brokerAnswers === 202)
        republished.push({
          type: request.headers['content-type'],
          body: JSON.parse(body) as Record<string, unknown>,
        })
      response.writeHead(brokerAnswers).end()
    })
  })
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve))
  database = await testDatabase('notifications')
  host = await startFunction(deadLetters, {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: `http://127.0.0.1:${(broker.address() as AddressInfo).port}/`,
  })
  operator = await token({ userId: randomUUID(), role: 'operator' })
})

afterAll(async () => {
  await host.stop()
  broker.closeAllConnections()
  broker.close()
  await database.drop()
})

function deliver(id: string, body: string, headers: Record<string, string> = {}) {
  return host.request('POST', '/events', {
    body,
    headers: {
      host: 'dead-letters.bank.svc.cluster.local',
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-type': 'payment.created',
      'ce-source': '/microbank/payments',
      'ce-traceparent': '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'ce-knativeerrordest': 'http://notify.bank.svc.cluster.local/events',
      'ce-knativeerrorcode': '500',
      'ce-knativeerrordata': Buffer.from('{"title":"no"}').toString('base64'),
      ...headers,
    },
  })
}

const find = async (eventId: string) => {
  const { body } = await host.request('GET', '/dead-letters?limit=200', { token: operator })
  return (body.items as Record<string, unknown>[]).find((item) => item.event_id === eventId)
}

test('an event that nobody could process is kept whole, with who failed and how', async () => {
  const id = randomUUID()
  expect((await deliver(id, '{"amount":"1.00"}')).status).toBe(204)
  expect(await find(id)).toMatchObject({
    event_type: 'payment.created',
    destination: 'http://notify.bank.svc.cluster.local/events',
    error_code: '500',
    error_data: '{"title":"no"}',
    deliveries: 1,
    status: 'stored',
    redriven_at: null,
    event: {
      id,
      source: '/microbank/payments',
      data: { amount: '1.00' },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
  })
})

test('the same dead letter again is counted, not kept twice', async () => {
  const id = randomUUID()
  await Promise.all([deliver(id, '{}'), deliver(id, '{}'), deliver(id, '{}')])
  expect(await find(id)).toMatchObject({ deliveries: 3 })
})

test.each([
  ['bytes that are no text', '\u0001\u0002', { 'content-type': 'application/octet-stream' }],
  ['a text with NUL', '{"text":"a\\u0000b"}', {}],
  ['JSON that is broken', '{"amount":', {}],
  ['no data', '', {}],
])('%s is kept as well, and redriven as it was', async (_what, body, headers) => {
  const id = randomUUID()
  expect((await deliver(id, body, headers)).status).toBe(204)
  const letter = await find(id)
  const answer = await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, {
    token: operator,
  })
  expect(answer.status).toBe(202)
  expect(republished.at(-1)?.body).toEqual(letter?.event)
})

test('redriving publishes the event with its first id, without what the Broker had added', async () => {
  const id = randomUUID()
  await deliver(id, '{"amount":"2.00"}')
  const letter = await find(id)
  const { status, body } = await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, {
    token: operator,
  })
  expect([status, body.status]).toEqual([202, 'redriven'])
  const sent = republished.at(-1)
  expect(sent?.type).toBe('application/cloudevents+json')
  expect(sent?.body).toMatchObject({ id, type: 'payment.created', data: { amount: '2.00' } })
  expect(Object.keys(sent!.body).filter((name) => name.startsWith('knativeerror'))).toEqual([])
})

test('while the Broker is away redriving is 503, and the dead letter stays as it was', async () => {
  const id = randomUUID()
  await deliver(id, '{}')
  const letter = await find(id)
  brokerAnswers = 503
  const answer = await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, {
    token: operator,
  })
  brokerAnswers = 202
  expect(answer.status).toBe(503)
  expect(await find(id)).toMatchObject({ status: 'stored', redriven_at: null })
})

test('it is for operators only, and an unknown id is 404', async () => {
  const customer = await token({ userId: randomUUID() })
  expect((await host.request('GET', '/dead-letters', { token: customer })).status).toBe(403)
  expect(
    (await host.request('POST', `/dead-letters/${randomUUID()}/redrive`, { token: customer })).status,
  ).toBe(403)
  expect(
    (await host.request('POST', `/dead-letters/${randomUUID()}/redrive`, { token: operator })).status,
  ).toBe(404)
})

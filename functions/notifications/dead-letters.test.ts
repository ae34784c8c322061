import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { eventKey, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import { eventFromHttp } from '../../eventing/http-binding.ts'
import type { EventMessage } from '../../eventing/message.ts'
import { isSigned, signEvent } from '../../eventing/signature.ts'
import deadLetters from './dead-letters.ts'

let database: TestDatabase
let host: TestFunction
let operator: string
/** Accepts the redriven events, or refuses them. */
let broker: Server
let brokerAnswers = 202
const republished: EventMessage[] = []

beforeAll(async () => {
  broker = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (brokerAnswers === 202) republished.push(eventFromHttp(request.headers, Buffer.concat(chunks)))
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

test('an event that could not be processed is stored complete, with the consumer that failed and how', async () => {
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

test('the same dead letter again is counted, not stored twice', async () => {
  const id = randomUUID()
  await Promise.all([deliver(id, '{}'), deliver(id, '{}'), deliver(id, '{}')])
  expect(await find(id)).toMatchObject({ deliveries: 3 })
})

test('a forged event with the id of a true one does not take its place', async () => {
  const id = randomUUID()
  const forgeries: [body: string, headers: Record<string, string>][] = [
    ['{"forged":1}', {}],
    ['{"true":1}', { 'ce-subject': 'another', 'ce-signature': 'true' }],
    ['{"true":1}', { 'ce-signature': 'false' }],
  ]
  for (const [body, headers] of forgeries) expect((await deliver(id, body, headers)).status).toBe(204)
  expect((await deliver(id, '{"true":1}', { 'ce-signature': 'true' })).status).toBe(204)
  const { body } = await host.request('GET', '/dead-letters?limit=200', { token: operator })
  const kept = (body.items as { event_id: string; event: object }[]).filter(({ event_id }) => event_id === id)
  expect(kept).toHaveLength(4)
  expect(kept[0]!.event).toMatchObject({ signature: 'true', data: { true: 1 } })
})

test.each([
  ['data that is not text', '\u0001\u0002', { 'content-type': 'application/octet-stream' }],
  ['text with NUL', '{"text":"a\\u0000b"}', {}],
  ['broken JSON', '{"amount":', {}],
  ['no data', '', {}],
  ['JSON with space in and around it', ' { "amount" : 1.10 }\n', {}],
])('%s is stored too, and redriven as it was', async (_what, body, headers) => {
  const id = randomUUID()
  expect((await deliver(id, body, headers)).status).toBe(204)
  const letter = await find(id)
  const answer = await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, {
    token: operator,
  })
  expect(answer.status).toBe(202)
  expect(republished.at(-1)).toMatchObject({ attributes: { id }, data: Buffer.from(body) })
})

test('redriving publishes the event with its first id, without the Broker’s attributes', async () => {
  const id = randomUUID()
  await deliver(id, '{"amount":"2.00"}')
  const letter = await find(id)
  const { status, body } = await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, {
    token: operator,
  })
  expect([status, body.status]).toEqual([202, 'redriven'])
  const sent = republished.at(-1)!
  expect(sent.attributes).toMatchObject({ id, type: 'payment.created' })
  expect(sent.data.toString()).toBe('{"amount":"2.00"}')
  expect(Object.keys(sent.attributes).filter((name) => name.startsWith('knativeerror'))).toEqual([])
})

test('a signature is still valid after a dead letter and a redrive', async () => {
  const id = randomUUID()
  const attributes = {
    source: '/microbank/payments',
    id,
    type: 'payment.created',
    time: '2026-01-05T09:30:00.120Z',
  }
  const data = '{"amount" : "2.00", "of" : ["a" , "b"]}'
  const signature = signEvent(attributes, data, eventKey('ledger'))
  // Knative's own Broker formats the time in its own way.
  await deliver(id, data, { 'ce-time': '2026-01-05T09:30:00.12Z', 'ce-signature': signature })
  const letter = await find(id)
  await host.request('POST', `/dead-letters/${String(letter?.id)}/redrive`, { token: operator })
  const sent = republished.at(-1)!
  expect([sent.attributes.id, isSigned(sent, eventKey('ledger'))]).toEqual([id, true])
})

test('the reason comes from the consumer’s answer; if the Broker kept none, a hint names the log', async () => {
  const [told, untold] = [randomUUID(), randomUUID()]
  const problem = JSON.stringify({ title: 'no', detail: 'It is not signed by the context ledger.' })
  await deliver(told, '{}', { 'ce-knativeerrordata': Buffer.from(problem).toString('base64') })
  await deliver(untold, '{}', { 'ce-knativeerrordata': '' })
  expect(await find(told)).toMatchObject({ reason: 'It is not signed by the context ledger.', hint: null })
  expect(await find(untold)).toMatchObject({
    reason: null,
    hint: `Look for "event refused" with event_id ${untold} in the log of notify.`,
  })
})

test('if the Broker is unreachable, redriving is 503 and the dead letter stays as it was', async () => {
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

test('dead letters are for operators only, and an unknown id is 404', async () => {
  const customer = await token({ userId: randomUUID() })
  expect((await host.request('GET', '/dead-letters', { token: customer })).status).toBe(403)
  expect(
    (await host.request('POST', `/dead-letters/${randomUUID()}/redrive`, { token: customer })).status,
  ).toBe(403)
  expect(
    (await host.request('POST', `/dead-letters/${randomUUID()}/redrive`, { token: operator })).status,
  ).toBe(404)
})

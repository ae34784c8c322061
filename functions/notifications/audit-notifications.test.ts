import { randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { startSpan } from '../../monitoring/trace.ts'
import { testDatabase, type TestDatabase } from '../../tests/support/databases.ts'
import { clientAt, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import auditNotifications from './audit-notifications.ts'
import deadLetters from './dead-letters.ts'
import notifications from './notifications.ts'

const operator = randomUUID()
let database: TestDatabase
let functions: Record<'audit' | 'notifications' | 'dead-letters', TestFunction>
let asOperator: string
let brokerAnswers = 202
const broker = http.createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(brokerAnswers).end())
})

beforeAll(async () => {
  database = await testDatabase('notifications')
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve))
  const env = {
    NOTIFICATIONS_DATABASE_URL: database.url,
    BROKER_URL: `http://127.0.0.1:${(broker.address() as AddressInfo).port}/`,
  }
  functions = {
    audit: await startFunction(auditNotifications, env),
    notifications: await startFunction(notifications, env),
    'dead-letters': await startFunction(deadLetters, env),
  }
  asOperator = await token({ userId: operator, role: 'operator' })
})

afterAll(async () => {
  for (const running of Object.values(functions)) await running.stop()
  broker.closeAllConnections()
  broker.close()
  await database.drop()
})

const ADDRESS = '203.0.113.9'

/** Sends a request in a trace of its own. Resolves with the answer and what the audit says of that trace. */
async function audited(
  method: string,
  path: string,
  bearer = asOperator,
  headers: Record<string, string> = {},
) {
  const { traceId, spanId } = startSpan(undefined)
  const service = path.startsWith('/dead-letters') ? 'dead-letters' : 'notifications'
  const answer = await functions[service].request(method, path, {
    token: bearer,
    headers: { traceparent: `00-${traceId}-${spanId}-01`, ...clientAt(ADDRESS), ...headers },
  })
  const page = await functions.audit.request('GET', '/audit/notifications?limit=200', { token: asOperator })
  const items = page.body.items as Record<string, unknown>[]
  return { answer, rows: items.filter(({ trace_id: trace }) => trace === traceId) }
}

async function storeDeadLetter(id: string): Promise<string> {
  await functions['dead-letters'].request('POST', '/events', {
    body: { user_id: randomUUID() },
    headers: {
      host: 'dead-letters.bank.svc.cluster.local',
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-type': 'payment.created',
      'ce-source': '/microbank/payments',
      'ce-knativeerrordest': 'http://notify.bank.svc.cluster.local/events',
    },
  })
  const { body } = await functions['dead-letters'].request('GET', '/dead-letters', { token: asOperator })
  return body.items.find(({ event_id: eventId }: { event_id: string }) => eventId === id).id
}

const by = { context: 'notifications', caller_id: operator, caller_role: 'operator', address: ADDRESS }

test('a redriven dead letter is in the audit, once for its key', async () => {
  const id = await storeDeadLetter('e-1')
  const key = { 'idempotency-key': 'redrive-1' }
  const { answer, rows } = await audited('POST', `/dead-letters/${id}/redrive`, asOperator, key)
  expect(answer.status).toBe(202)
  expect(rows).toEqual([
    expect.objectContaining({
      ...by,
      ...{ operation: 'dead-letters', route: 'POST /dead-letters/{id}/redrive', subject: id },
      ...{ owner_id: null, outcome: 'changed', details: null },
    }),
  ])
  const again = await audited('POST', `/dead-letters/${id}/redrive`, asOperator, key)
  expect([again.answer.status, again.rows]).toEqual([202, []])
})

test('one that the Broker did not take, or that does not exist, is not in the audit', async () => {
  const id = await storeDeadLetter('e-2')
  brokerAnswers = 500
  const failed = await audited('POST', `/dead-letters/${id}/redrive`)
  brokerAnswers = 202
  expect([failed.answer.status, failed.rows]).toEqual([503, []])
  const none = await audited('POST', `/dead-letters/${randomUUID()}/redrive`)
  expect([none.answer.status, none.rows]).toEqual([404, []])
})

test('what an operator reads is in the audit, with whose it is; what customers read is not', async () => {
  const user = randomUUID()
  const [row] = await functions.audit.tools.db.query<{ id: string }>({
    text: `insert into notifications (user_id, event_source, event_id, consumer, event_type, subject, message)
      values ($1, '/microbank/ledger', '1', 'notify', 'transaction.completed', 't', 'Deposit of $2.00') returning id`,
    values: [user],
  })
  const one = await audited('GET', `/notifications/${row!.id}`)
  expect(one.rows).toMatchObject([{ ...by, subject: row!.id, owner_id: user, outcome: 'read' }])
  expect(JSON.stringify(one.rows)).not.toContain('$2.00')
  const list = await audited('GET', '/notifications?limit=9')
  expect(list.rows).toMatchObject([{ ...by, subject: null, owner_id: null, details: { limit: 9 } }])
  const letters = await audited('GET', '/dead-letters?status=stored')
  expect(letters.rows).toMatchObject([{ ...by, details: { limit: 50, status: 'stored' } }])
  const own = await audited('GET', `/notifications/${row!.id}`, await token({ userId: user }))
  expect([own.answer.status, own.rows]).toEqual([200, []])
})

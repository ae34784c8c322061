import { randomUUID } from 'node:crypto'
import type { Operation } from '../host/operation.ts'
import { startSpan } from '../../monitoring/trace.ts'
import { clientAt, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import accounts from './accounts.ts'
import auditLedger from './audit-ledger.ts'
import openAccount from './open-account.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import { testLedger, type TestLedger } from './testing/ledger-fixture.ts'
import transactions from './transactions.ts'

const operator = randomUUID()
let ledger: TestLedger
let gateway: TestGateway
const functions = new Map<Operation, TestFunction>()
let asOperator: string

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  for (const operation of [accounts, auditLedger, openAccount, transactions])
    functions.set(
      operation,
      await startFunction(operation, {
        LEDGER_DATABASE_URL: ledger.database.url,
        LOCAL_GATEWAY: gateway.address,
      }),
    )
  asOperator = await token({ userId: operator, role: 'operator' })
})

afterAll(async () => {
  for (const running of functions.values()) await running.stop()
  await gateway.close()
  await ledger.close()
})

const ADDRESS = '203.0.113.9'

interface Sent {
  body?: unknown
  bearer?: string
  headers?: Record<string, string>
}

/** Sends a request in a trace of its own. Resolves with the answer and what the audit says of that trace. */
async function audited(operation: Operation, method: string, path: string, sent: Sent = {}) {
  const { body, bearer = asOperator, headers } = sent
  const { traceId, spanId } = startSpan(undefined)
  const answer = await functions.get(operation)!.request(method, path, {
    token: bearer,
    ...(body !== undefined && { body }),
    headers: { traceparent: `00-${traceId}-${spanId}-01`, ...clientAt(ADDRESS), ...headers },
  })
  return { answer, rows: (await list('?limit=200')).filter((row) => row.trace_id === traceId) }
}

async function list(search: string): Promise<Record<string, unknown>[]> {
  const { status, body } = await functions.get(auditLedger)!.request('GET', `/audit/ledger${search}`, {
    token: asOperator,
  })
  expect([search, status]).toEqual([search, 200])
  return body.items
}

const by = { context: 'ledger', caller_id: operator, caller_role: 'operator', address: ADDRESS }

test('an account that was opened is in the audit, once for its key, and not if it was refused', async () => {
  const userId = randomUUID()
  const bearer = await token({ userId })
  const sent = { body: { account_type: 'savings' }, bearer, headers: { 'idempotency-key': 'open-1' } }
  const { answer, rows } = await audited(openAccount, 'POST', '/accounts', sent)
  expect(answer.status).toBe(201)
  expect(rows).toEqual([
    expect.objectContaining({
      ...{ operation: 'open-account', route: 'POST /accounts', subject: answer.body.id, owner_id: userId },
      ...{ caller_id: userId, caller_role: 'customer', address: ADDRESS, outcome: 'changed' },
      details: { account_type: 'savings', currency: 'USD' },
    }),
  ])
  const again = await audited(openAccount, 'POST', '/accounts', sent)
  expect([again.answer.status, again.rows]).toEqual([201, []])
  const stranger = { body: { account_type: 'savings', user_id: randomUUID() } }
  const refused = await audited(openAccount, 'POST', '/accounts', stranger)
  expect([refused.answer.status, refused.rows]).toEqual([422, []])
})

test('what an operator reads is in the audit, with whose it is; what customers read is not', async () => {
  const userId = randomUUID()
  const id = await ledger.open({ userId })
  const read = { ...by, outcome: 'read' }
  const whose = { subject: id, owner_id: userId }
  expect((await audited(accounts, 'GET', `/accounts/${id}`)).rows).toMatchObject([{ ...read, ...whose }])
  expect((await audited(accounts, 'GET', `/accounts/${id}/balance`)).rows).toMatchObject([
    { ...read, ...whose, route: 'GET /accounts/{id}/balance' },
  ])
  expect((await audited(accounts, 'GET', `/accounts?user_id=${userId}`)).rows).toMatchObject([
    { ...read, subject: null, owner_id: userId, details: { user_id: userId, limit: 50 } },
  ])
  expect((await audited(transactions, 'GET', `/transactions?account_id=${id}`)).rows).toMatchObject([
    { ...read, subject: null, owner_id: userId, details: { account_id: id, limit: 50 } },
  ])
  expect((await audited(transactions, 'GET', '/transactions?type=deposit')).rows).toMatchObject([
    { ...read, subject: null, owner_id: null, details: { type: 'deposit', limit: 50 } },
  ])
  const bearer = await token({ userId })
  for (const path of [`/accounts/${id}`, `/accounts/${id}/balance`, '/accounts'])
    expect((await audited(accounts, 'GET', path, { bearer })).rows).toEqual([])
})

test('the list is for operators', async () => {
  const running = functions.get(auditLedger)!
  expect((await running.request('GET', '/audit/ledger')).status).toBe(401)
  const bearer = await token({ userId: randomUUID() })
  expect((await running.request('GET', '/audit/ledger', { token: bearer })).status).toBe(403)
  expect((await running.request('GET', '/audit/ledger?subject=', { token: asOperator })).status).toBe(400)
})

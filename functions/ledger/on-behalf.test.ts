import { randomUUID } from 'node:crypto'
import type { Operation } from '../host/operation.ts'
import { callToken, startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import accounts from './accounts.ts'
import auditLedger from './audit-ledger.ts'
import captureHold from './capture-hold.ts'
import deposits from './deposit.ts'
import holds from './holds.ts'
import placeHold from './place-hold.ts'
import releaseHold from './release-hold.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import { alice, deposit, testLedger, type TestLedger } from './testing/ledger-fixture.ts'
import transactions from './transactions.ts'
import transfer from './transfer.ts'

/** What another context asks of the ledger on behalf of customers. */

const bob = randomUUID()
let ledger: TestLedger
let gateway: TestGateway
const functions = new Map<Operation, TestFunction>()
let from: string
let to: string

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  for (const operation of [accounts, auditLedger, captureHold, deposits, holds, placeHold, releaseHold])
    functions.set(operation, await startFunction(operation, env))
  for (const operation of [transactions, transfer])
    functions.set(operation, await startFunction(operation, env))
})

afterAll(async () => {
  for (const running of functions.values()) await running.stop()
  expect(await ledger.faults()).toEqual([])
  await gateway.close()
  await ledger.close()
})

beforeEach(async () => {
  from = await ledger.open()
  to = await ledger.open({ userId: bob })
  await ledger.post(deposit(from, 900_00))
})

interface Sent {
  userId?: string
  key?: string
  body?: unknown
  bearer?: string
}

/** Calls an operation as payments does, on behalf of a customer; or with another token. */
async function call(operation: Operation, route: string, sent: Sent = {}): Promise<Answer> {
  const { userId = alice, key = randomUUID(), body, bearer } = sent
  const [method = '', path = ''] = route.split(' ')
  return functions.get(operation)!.request(method, path, {
    token: bearer ?? (await callToken(userId, operation.name, route, { id: key, body })),
    ...(method === 'POST' && { body: body ?? {}, headers: { 'idempotency-key': key } }),
  })
}

const place = (sent: Sent = {}) =>
  call(placeHold, 'POST /holds', { body: { account_id: from, amount: 10 }, ...sent })
const capture = (id: string, sent: Sent = {}) =>
  call(captureHold, `POST /holds/${id}/capture`, { body: { to_account_id: to }, ...sent })
const release = (id: string, sent: Sent = {}) => call(releaseHold, `POST /holds/${id}/release`, sent)
const pay = (sent: Sent = {}) =>
  call(transfer, 'POST /transactions', {
    body: { type: 'transfer', account_id: from, to_account_id: to, amount: 5 },
    ...sent,
  })
const named = ({ status, body }: Answer) => [status, body.type?.split('/').pop()]

test('a hold is placed, shown and captured on behalf of a customer, and says by whom', async () => {
  const placed = await place()
  expect([placed.status, placed.body.via, placed.body.placed_by]).toEqual([201, 'payments', alice])
  const { id } = placed.body
  expect((await call(holds, `GET /holds/${id}`)).body).toEqual(placed.body)
  const { status, body } = await capture(id)
  expect([status, body.amount, body.hold_id]).toEqual([201, '10.00', id])
  expect((await call(transactions, `GET /transactions/${body.id}`)).body).toMatchObject(body)
  expect((await call(accounts, `GET /accounts/${from}`)).body.balance).toBe('890.00')
  expect((await call(accounts, 'GET /accounts', { userId: bob })).body.items).not.toEqual([])
})

test('the audit says by way of which context', async () => {
  const hold = (await place()).body.id as string
  const other = (await place()).body.id as string
  await release(other)
  const moved = [(await capture(hold)).body.id, (await pay()).body.id] as string[]
  const own = await pay({ bearer: await token({ userId: alice }) })
  const operator = await token({ userId: randomUUID(), role: 'operator' })
  const audit = async (subject: string) => {
    const { body } = await call(auditLedger, `GET /audit/ledger?subject=${subject}`, { bearer: operator })
    return body.items.map((entry: Record<string, unknown>) => [entry.operation, entry.via, entry.caller_id])
  }
  expect(await audit(hold)).toEqual([['place-hold', 'payments', alice]])
  expect(await audit(other)).toEqual([
    ['release-hold', 'payments', alice],
    ['place-hold', 'payments', alice],
  ])
  expect(await audit(moved[0]!)).toEqual([['capture-hold', 'payments', alice]])
  expect(await audit(moved[1]!)).toEqual([['transfer', 'payments', alice]])
  expect(await audit(own.body.id)).toEqual([['transfer', null, alice]])
})

test('a context has no more rights than the customer, and none of an operator', async () => {
  expect(named(await place({ userId: bob }))).toEqual([404, 'account-not-found'])
  expect(named(await pay({ userId: bob }))).toEqual([404, 'account-not-found'])
  expect(named(await call(accounts, `GET /accounts/${from}`, { userId: bob }))).toEqual([
    404,
    'account-not-found',
  ])
  const { id } = (await place()).body
  expect(named(await release(id, { userId: bob }))).toEqual([404, 'hold-not-found'])
  expect(named(await capture(id, { userId: bob }))).toEqual([404, 'hold-not-found'])
})

test('the customer can’t end a hold that a context placed for them, nor it theirs; an operator can', async () => {
  const bearer = await token({ userId: alice })
  const theirs = (await place()).body.id as string
  expect(named(await release(theirs, { bearer }))).toEqual([403, 'hold-not-yours'])
  expect(named(await capture(theirs, { bearer }))).toEqual([403, 'hold-not-yours'])
  const own = (await place({ bearer })).body
  expect(own.via).toBeNull()
  expect(named(await release(own.id))).toEqual([403, 'hold-not-yours'])
  const operator = await token({ userId: randomUUID(), role: 'operator' })
  expect((await release(theirs, { bearer: operator })).status).toBe(200)
  expect((await release(own.id, { bearer })).status).toBe(200)
})

test('a repeated call changes nothing, and is good for nothing else', async () => {
  const key = 'payment-1'
  const body = { account_id: from, amount: 10 }
  const bearer = await callToken(alice, 'place-hold', 'POST /holds', { id: key, body })
  const first = await place({ key, bearer })
  const again = await place({ key, bearer })
  expect([again.status, again.body.id]).toEqual([201, first.body.id])
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  const other = await place({ key: 'payment-2', bearer })
  expect(named(other)).toEqual([401, 'unauthenticated'])
  expect(other.headers.get('www-authenticate')).toBe('Bearer realm="microbank", error="invalid_token"')
  expect((await functions.get(placeHold)!.request('POST', '/holds', { token: bearer, body })).status).toBe(
    401,
  )
  const more = { key, body: { ...body, amount: 11 } }
  expect(named(await place({ ...more, bearer }))).toEqual([401, 'unauthenticated'])
  expect(named(await place(more))).toEqual([422, 'idempotency-key-reused'])
})

test('the customer’s own keys never meet those of a context', async () => {
  const key = randomUUID()
  const theirs = await pay({ key })
  const own = await pay({ key, bearer: await token({ userId: alice }) })
  expect([theirs.status, own.status]).toEqual([201, 201])
  expect(own.body.id).not.toBe(theirs.body.id)
})

test('such a call is answered at once, and never becomes an order', async () => {
  const key = randomUUID()
  const body = { type: 'transfer', account_id: from, to_account_id: to, amount: 5 }
  const bearer = await callToken(alice, 'transfer', 'POST /transactions', { id: key, body })
  const answer = await functions.get(transfer)!.request('POST', '/transactions', {
    token: bearer,
    headers: { 'idempotency-key': key, prefer: 'respond-async' },
    body,
  })
  expect(answer.status).toBe(201)
})

test('a route that lists no context refuses its calls', async () => {
  for (const [operation, route] of [
    [deposits, 'POST /transactions'],
    [holds, 'GET /holds'],
    [accounts, `GET /accounts/${from}/balance`],
    [transactions, 'GET /transactions'],
    [auditLedger, 'GET /audit/ledger'],
  ] as const) {
    const body = { type: 'deposit', account_id: from, amount: 1 }
    expect([route, (await call(operation, route, { body })).status]).toEqual([route, 401])
  }
})

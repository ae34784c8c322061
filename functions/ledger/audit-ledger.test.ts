import { randomUUID } from 'node:crypto'
import type { Operation } from '../host/operation.ts'
import { startSpan } from '../../monitoring/trace.ts'
import { clientAt, startFunction, token, type TestFunction } from '../../tests/support/host.ts'
import accounts from './accounts.ts'
import auditLedger from './audit-ledger.ts'
import captureHold from './capture-hold.ts'
import changeAccount from './change-account.ts'
import closeAccount from './close-account.ts'
import deposit from './deposit.ts'
import freezeAccount from './freeze-account.ts'
import holds from './holds.ts'
import openAccount from './open-account.ts'
import placeHold from './place-hold.ts'
import postBatch from './post-batch.ts'
import releaseHold from './release-hold.ts'
import reverseTransaction from './reverse-transaction.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import { deposit as depositOf, testLedger, type TestLedger } from './testing/ledger-fixture.ts'
import transactions from './transactions.ts'
import transfer from './transfer.ts'
import unfreezeAccount from './unfreeze-account.ts'
import withdraw from './withdraw.ts'

const operations = [
  ...[accounts, auditLedger, captureHold, deposit, holds, openAccount, placeHold, postBatch, releaseHold],
  ...[reverseTransaction, transactions, transfer, withdraw],
  ...[changeAccount, closeAccount, freezeAccount, unfreezeAccount],
]
const operator = randomUUID()
let ledger: TestLedger
let gateway: TestGateway
const functions = new Map<Operation, TestFunction>()
let asOperator: string

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  for (const operation of operations)
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

test('what operators do to an account is in the audit, with their reason, once for its key', async () => {
  const userId = randomUUID()
  const id = await ledger.open({ userId })
  const change = { ...by, subject: id, owner_id: userId, outcome: 'changed' }
  const reason = 'asked for by phone'
  const freeze = { body: { reason }, headers: { 'idempotency-key': randomUUID() } }
  const frozen = await audited(freezeAccount, 'POST', `/accounts/${id}/freeze`, freeze)
  expect(frozen.rows).toMatchObject([{ ...change, operation: 'freeze-account', details: { reason } }])
  expect((await audited(freezeAccount, 'POST', `/accounts/${id}/freeze`, freeze)).rows).toEqual([])
  const again = await audited(freezeAccount, 'POST', `/accounts/${id}/freeze`, { body: { reason } })
  expect([again.answer.status, again.rows]).toEqual([409, []])
  const thawed = await audited(unfreezeAccount, 'POST', `/accounts/${id}/unfreeze`, { body: { reason } })
  expect(thawed.rows).toMatchObject([{ ...change, operation: 'unfreeze-account' }])

  const limit = { body: { overdraft_limit: '5.00', reason } }
  const changed = await audited(changeAccount, 'PATCH', `/accounts/${id}`, limit)
  expect(changed.rows).toMatchObject([
    { ...change, route: 'PATCH /accounts/{id}', details: { overdraft_limit: '5.00', reason } },
  ])
  const same = await audited(changeAccount, 'PATCH', `/accounts/${id}`, limit)
  expect([same.answer.status, same.rows]).toEqual([200, []])
  const read = await audited(accounts, 'GET', `/accounts/${id}/changes`)
  expect(read.rows).toMatchObject([{ ...change, outcome: 'read' }])

  const bearer = await token({ userId })
  const closed = await audited(closeAccount, 'POST', `/accounts/${id}/close`, { body: {}, bearer })
  expect(closed.rows).toMatchObject([
    { ...change, caller_id: userId, caller_role: 'customer', operation: 'close-account', details: null },
  ])
})

describe('money', () => {
  const ada = randomUUID()
  const bob = randomUUID()
  let bearer: string
  let from: string
  let to: string
  beforeAll(async () => {
    bearer = await token({ userId: ada })
    from = await ledger.open({ userId: ada })
    to = await ledger.open({ userId: bob })
    await ledger.post(depositOf(from, 100_000, { caller_id: ada }))
  })

  const own = { caller_id: ada, caller_role: null, owner_id: ada, address: ADDRESS, outcome: 'completed' }
  const amount = '2.00'
  const said = (more: object = {}) => ({ account_id: from, amount, currency: 'USD', ...more })
  const move = (operation: Operation, body: object, sent: Sent = {}) =>
    audited(operation, 'POST', '/transactions', { body, bearer, ...sent })

  test('moved by its owner is in the audit, once for its key, and not if it was refused', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const paid = await move(deposit, { type: 'deposit', ...said() }, { headers })
    const { id } = paid.answer.body
    expect(paid.rows).toEqual([
      expect.objectContaining({ ...own, operation: 'deposit', subject: id, route: null, details: said() }),
    ])
    expect(paid.rows[0]).toMatchObject({ id, context: 'ledger' })
    expect((await move(deposit, { type: 'deposit', ...said() }, { headers })).rows).toEqual([])
    const out = await move(withdraw, { type: 'withdrawal', ...said() })
    expect(out.rows).toMatchObject([{ ...own, operation: 'withdraw', details: said() }])
    const sent = await move(transfer, { type: 'transfer', ...said({ to_account_id: to }) })
    expect(sent.rows).toMatchObject([{ ...own, operation: 'transfer', details: said({ to_account_id: to }) }])
    const refused = await move(transfer, { type: 'transfer', ...said({ to_account_id: to, amount: 1e9 }) })
    expect([refused.answer.status, refused.rows]).toEqual([409, []])
  })

  test('moved by an operator says so', async () => {
    const { rows } = await move(deposit, { type: 'deposit', ...said() }, { bearer: asOperator })
    expect(rows).toMatchObject([{ ...by, operation: 'deposit', owner_id: ada, outcome: 'completed' }])
  })

  test('of a batch is in the audit with each of its transactions', async () => {
    const body = {
      transactions: [
        { type: 'deposit', ...said() },
        { type: 'transfer', ...said({ to_account_id: to }) },
      ],
    }
    const { rows } = await audited(postBatch, 'POST', '/transactions/batch', { body, bearer })
    expect(rows.map(({ operation }) => operation)).toEqual(['transfer', 'deposit'])
    for (const row of rows) expect(row).toMatchObject(own)
  })

  test('of an order: the order when it is taken, and what came of it when it is posted', async () => {
    const key = randomUUID()
    const body = { type: 'transfer', ...said({ to_account_id: to }) }
    const ordering = { headers: { 'idempotency-key': key, prefer: 'respond-async' } }
    const ordered = await move(transfer, body, ordering)
    expect(ordered.answer.status).toBe(202)
    const subject = ordered.answer.body.id
    const order = {
      ...{ caller_id: ada, caller_role: 'customer', operation: 'transfer', route: 'POST /transactions' },
      ...{
        subject,
        owner_id: null,
        address: ADDRESS,
        outcome: 'ordered',
        details: said({ to_account_id: to }),
      },
    }
    expect(ordered.rows).toMatchObject([order])
    expect((await move(transfer, body, ordering)).rows).toEqual([])
    const posted = await move(transfer, body, { headers: { 'idempotency-key': key } })
    expect(posted.answer.status).toBe(201)
    expect(await list(`?subject=${subject}`)).toMatchObject([
      order,
      { ...own, id: subject, operation: 'transfer' },
    ])
  })

  test('held, captured, released and taken back is in the audit', async () => {
    const place = (sent: Sent = {}) => audited(placeHold, 'POST', '/holds', { body: said(), bearer, ...sent })
    const headers = { 'idempotency-key': randomUUID() }
    const placed = await place({ headers })
    const hold = placed.answer.body.id
    const onHold = { ...own, caller_role: 'customer', subject: hold, outcome: 'changed', details: said() }
    expect(placed.rows).toMatchObject([{ ...onHold, operation: 'place-hold', route: 'POST /holds' }])
    expect((await place({ headers })).rows).toEqual([])

    const capture = { body: { to_account_id: to }, bearer }
    const captured = await audited(captureHold, 'POST', `/holds/${hold}/capture`, capture)
    const { id: transaction } = captured.answer.body
    expect(captured.rows).toMatchObject([
      {
        ...{ ...own, operation: 'capture-hold', subject: transaction },
        details: said({ to_account_id: to, hold_id: hold }),
      },
    ])
    const again = await audited(captureHold, 'POST', `/holds/${hold}/capture`, capture)
    expect([again.answer.status, again.rows]).toEqual([409, []])

    const other = (await place()).answer.body.id
    const released = await audited(releaseHold, 'POST', `/holds/${other}/release`, { body: {} })
    expect(released.rows).toMatchObject([
      {
        ...by,
        operation: 'release-hold',
        subject: other,
        owner_id: ada,
        outcome: 'changed',
        details: said(),
      },
    ])

    const back = { body: { reason: 'a mistake' } }
    const reversed = await audited(reverseTransaction, 'POST', `/transactions/${transaction}/reverse`, back)
    expect(reversed.rows).toMatchObject([
      { ...by, operation: 'reverse-transaction', owner_id: ada, details: { reverses: transaction } },
    ])
    expect(await list(`?subject=${transaction}`)).toMatchObject([{ ...own, operation: 'capture-hold' }])
    const read = await audited(holds, 'GET', `/holds/${hold}`)
    expect(read.rows).toMatchObject([{ ...by, subject: hold, owner_id: ada, outcome: 'read' }])
    expect((await audited(transactions, 'GET', `/transactions/${transaction}`)).rows).toMatchObject([
      { ...by, subject: transaction, owner_id: ada, outcome: 'read' },
    ])
  })

  test('costs no statement more than without the audit', async () => {
    const { db } = functions.get(transfer)!.tools
    const { query } = db
    const asked: string[] = []
    db.query = (statement) => {
      asked.push(statement.text)
      return query(statement)
    }
    await move(transfer, { type: 'transfer', ...said({ to_account_id: to }) })
    db.query = query
    expect(asked.filter((text) => !text.includes('outbox'))).toEqual([
      'select * from post_transactions($1, $2)',
    ])
  })
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

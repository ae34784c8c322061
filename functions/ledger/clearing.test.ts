import { randomUUID } from 'node:crypto'
import { callToken, startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import auditLedger from './audit-ledger.ts'
import clearing from './clearing.ts'
import reverseTransaction from './reverse-transaction.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import {
  alice,
  deposit,
  ending,
  placing,
  testLedger,
  transfer,
  type TestLedger,
} from './testing/ledger-fixture.ts'
import transactions from './transactions.ts'

/** What a payment provider has collected or paid out, as payments books it on behalf of customers. */

const CLEARING = '00000000-0000-7000-8002-000000555344' // USD
let ledger: TestLedger
let gateway: TestGateway
let book: TestFunction
let reverse: TestFunction
let show: TestFunction
let audit: TestFunction
let account: string

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  book = await startFunction(clearing, env)
  reverse = await startFunction(reverseTransaction, env)
  show = await startFunction(transactions, env)
  audit = await startFunction(auditLedger, env)
})
afterAll(async () => {
  for (const running of [book, reverse, show, audit]) await running.stop()
  expect(await ledger.faults()).toEqual([])
  await gateway.close()
  await ledger.close()
})
beforeEach(async () => {
  account = await ledger.open()
})

interface Sent {
  userId?: string
  key?: string
  bearer?: string
}

async function call(path: string, body: object, { userId = alice, key = randomUUID(), bearer }: Sent = {}) {
  return book.request('POST', path, {
    token: bearer ?? (await callToken(userId, 'clearing', `POST ${path}`, { id: key, body })),
    headers: { 'idempotency-key': key },
    body,
  })
}
const credit = (body: object = {}, sent: Sent = {}) =>
  call('/clearing/deposits', { account_id: account, amount: '25.00', currency: 'USD', ...body }, sent)
const capture = (hold: string, sent: Sent = {}) => call(`/clearing/holds/${hold}/capture`, {}, sent)
const named = ({ status, body }: Answer) => [status, body.type?.split('/').pop()]
const clearingBalance = async () => (await ledger.balances(CLEARING))[0] ?? 0n

test('what a provider has collected is a deposit from its clearing account, once for a key', async () => {
  const before = await clearingBalance()
  const key = randomUUID()
  const { status, body } = await credit({ description: 'Card' }, { key })
  expect([status, body.type, body.amount, body.balance_after]).toEqual([201, 'deposit', '25.00', '25.00'])
  expect(body.to_account_id).toBe(CLEARING)
  const again = await credit({ description: 'Card' }, { key })
  expect([again.status, again.body.id]).toEqual([201, body.id])
  expect(await ledger.balances(account)).toEqual([25_00n])
  expect(await clearingBalance()).toBe(before - 25_00n)
})

test('the balance of the clearing account is told to nobody', async () => {
  const { id } = (await credit()).body
  const event = await until(() => gateway.events.find(({ data }) => data.transaction_id === id))
  expect(event).toMatchObject({
    headers: { 'ce-type': 'transaction.completed' },
    data: { new_balance: '25.00', to_new_balance: null },
  })
  const [derived] = await ledger.db.query<{ data: string }>({
    text: 'select e.data::text from transactions t cross join lateral transaction_event(t) e where t.id = $1',
    values: [id],
  })
  expect(JSON.parse(derived!.data)).toEqual(event.data)
  const bearer = await token({ userId: alice })
  expect((await show.request('GET', `/transactions/${id}`, { token: bearer })).body).not.toHaveProperty(
    'to_balance_after',
  )
})

test('what a provider has paid out is taken of the hold, once', async () => {
  await ledger.post(deposit(account, 90_00))
  const hold = placing(account, 40_00, { via: 'payments' })
  await ledger.post(hold)
  const before = await clearingBalance()
  const { status, body } = await capture(hold.id)
  expect([status, body.amount, body.hold_id, body.to_account_id]).toEqual([201, '40.00', hold.id, CLEARING])
  expect(named(await capture(hold.id))).toEqual([409, 'hold-captured'])
  expect(await ledger.balances(account)).toEqual([50_00n])
  expect(await clearingBalance()).toBe(before + 40_00n)
})

test('only payments may ask, on behalf of the account’s owner', async () => {
  const stranger = randomUUID()
  expect(named(await credit({}, { userId: stranger }))).toEqual([404, 'account-not-found'])
  for (const role of ['customer', 'operator'] as const)
    expect((await credit({}, { bearer: await token({ userId: alice, role }) })).status).toBe(403)
  expect((await book.request('POST', '/clearing/deposits', { body: {} })).status).toBe(401)
  const hold = placing(account, 1_00, { via: 'payments' })
  await ledger.post(deposit(account, 1_00), hold)
  expect(named(await capture(hold.id, { userId: stranger }))).toEqual([404, 'hold-not-found'])
  expect(named(await credit({ amount: '0' }))).toEqual([400, 'invalid-input'])
  expect(named(await credit({ currency: 'EUR' }))).toEqual([422, 'currency-mismatch'])
})

test('the table takes a deposit from the clearing account of its currency, and from no other account', async () => {
  const text = `insert into transactions (
      id, type, status, account_id, to_account_id, amount, currency, user_id, balance_after, created_at
    ) values (uuidv7(), 'deposit', 'completed', $1, $2, 1, $3, $4, 1, now())`
  const insert = (from: string, currency: string) =>
    ledger.owner.transaction(async (tx) => {
      // As in a restore.
      await tx.query({ text: `set local search_path = ''` })
      await tx.query({
        text: text.replace('transactions', 'public.transactions'),
        values: [account, from, currency, alice],
      })
      throw new Error('taken')
    })
  await expect(insert(CLEARING, 'USD')).rejects.toThrow('taken')
  await expect(insert(CLEARING, 'EUR')).rejects.toThrow('well_formed')
  await expect(insert(account, 'USD')).rejects.toThrow('well_formed')
})

test('nobody else can name the clearing account, though its id is known', async () => {
  await credit()
  const hold = placing(account, 5_00, { via: 'payments' })
  const outcomes = await ledger.post(
    hold,
    transfer(account, CLEARING, 5_00),
    transfer(account, CLEARING, 5_00, { via: 'payments' }),
    ending('capture', hold, 5_00, { to_account_id: CLEARING, via: 'payments' }),
    deposit(account, 5_00, { to_account_id: CLEARING }),
  )
  expect(outcomes.map(({ outcome }) => outcome)).toEqual([
    ...['posted', 'account-not-found', 'account-not-found', 'account-not-found', 'account-not-found'],
  ])
})

test('an operator can reverse both, and the books stay right', async () => {
  const credited = (await credit()).body
  const hold = placing(account, 10_00, { via: 'payments' })
  await ledger.post(hold)
  const paidOut = (await capture(hold.id)).body
  const before = await clearingBalance()
  const operator = await token({ userId: randomUUID(), role: 'operator' })
  for (const { id } of [paidOut, credited]) {
    const answer = await reverse.request('POST', `/transactions/${id}/reverse`, {
      ...{ token: operator, body: { reason: 'charged back' } },
    })
    expect(answer.status).toBe(201)
  }
  expect(await ledger.balances(account)).toEqual([0n])
  expect(await clearingBalance()).toBe(before + 25_00n - 10_00n)
  const { items } = (
    await show.request('GET', `/transactions?account_id=${account}`, {
      token: await token({ userId: alice }),
    })
  ).body
  expect(items).toHaveLength(4)
  for (const { id } of [paidOut, credited]) {
    const path = `/audit/ledger?operation=clearing&subject=${id}`
    const { body } = await audit.request('GET', path, { token: operator })
    expect(body.items).toMatchObject([{ operation: 'clearing', via: 'payments', caller_id: alice }])
  }
  const guarded = await ledger.db.query({
    text: `select * from guard_accounts($1, '{USD}')`,
    values: [[account, CLEARING]],
  })
  expect(guarded).toEqual([])
})

import { randomUUID } from 'node:crypto'
import { eventIdOf } from '../../eventing/outbox-event.ts'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import deposit from './deposit.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import { alice, deposit as depositRequest, testLedger, type TestLedger } from './testing/ledger-fixture.ts'
import transactions from './transactions.ts'
import transfer from './transfer.ts'
import withdraw from './withdraw.ts'

const bob = randomUUID()
let ledger: TestLedger
let gateway: TestGateway
let functions: Record<'deposit' | 'withdraw' | 'transfer' | 'transactions', TestFunction>
let tokens: Record<'alice' | 'bob' | 'operator', string>
let from: string
let to: string

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  functions = {
    deposit: await startFunction(deposit, env),
    withdraw: await startFunction(withdraw, env),
    transfer: await startFunction(transfer, env),
    transactions: await startFunction(transactions, env),
  }
  tokens = {
    alice: await token({ userId: alice }),
    bob: await token({ userId: bob }),
    operator: await token({ userId: randomUUID(), role: 'operator' }),
  }
})

afterAll(async () => {
  for (const running of Object.values(functions)) await running.stop()
  await gateway.close()
  await ledger.close()
})

beforeEach(async () => {
  from = await ledger.open()
  to = await ledger.open({ userId: bob })
  await ledger.post(depositRequest(from, 900_00))
  gateway.events.length = 0
})

type Money = 'deposit' | 'withdraw' | 'transfer'

const post = (
  name: Money,
  body: unknown,
  headers: Record<string, string> = {},
  who: keyof typeof tokens = 'alice',
) => functions[name].request('POST', '/transactions', { token: tokens[who], body, headers })

const send = (amount: unknown, headers: Record<string, string> = {}, more: object = {}): Promise<Answer> =>
  post('transfer', { type: 'transfer', account_id: from, to_account_id: to, amount, ...more }, headers)

describe('a transfer', () => {
  test('is answered with the transaction, and its event goes to the Broker', async () => {
    const answer = await send('200.00', {}, { description: 'rent', metadata: { flat: 12 } })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toBe(`/api/transactions/${answer.body.id}`)
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      type: 'transfer',
      status: 'completed',
      account_id: from,
      to_account_id: to,
      amount: '200.00',
      currency: 'USD',
      description: 'rent',
      metadata: { flat: 12 },
      balance_after: '700.00',
      value_date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      fee: null,
      hold_id: null,
      reverses: null,
      reversed_by: null,
      refusal: null,
      event_id: eventIdOf(answer.body.id as string),
      timestamp: expect.stringMatching(/Z$/),
    })
    const event = await until(
      () => gateway.events.find(({ headers }) => headers['ce-subject'] === answer.body.id),
      { what: 'the event' },
    )
    expect(event.headers).toMatchObject({ 'ce-type': 'transaction.completed' })
    expect(event.data).toMatchObject({ new_balance: '700.00', to_new_balance: '200.00', to_user_id: bob })
  })

  test('answers at the root of its own host too', async () => {
    const body = { account_id: from, to_account_id: to.toUpperCase(), amount: 1 }
    const answer = await functions.transfer.request('POST', '/', { token: tokens.alice, body })
    expect(answer).toMatchObject({ status: 201, body: { amount: '1.00', to_account_id: to } })
  })

  test('that is repeated with its key gets the first answer again', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const first = await send('200.00', key)
    const second = await send('200.00', key)
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    expect([second.status, second.body]).toEqual([first.status, first.body])
    expect(second.headers.get('location')).toBe(first.headers.get('location'))
    expect(await send('200.01', key)).toMatchObject({ status: 422 })
    expect(await ledger.balances(from, to)).toEqual([700_00n, 200_00n])
  })

  test('is refused with the named problem', async () => {
    const answer = await send('900.01')
    expect(answer.status).toBe(409)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(answer.body).toMatchObject({
      type: 'https://microbank.dev/problems/insufficient-funds',
      status: 409,
    })
  })

  test('from another user’s account is answered as if the account did not exist, to operators too', async () => {
    const body = { account_id: to, to_account_id: from, amount: 1 }
    for (const who of ['alice', 'operator'] as const) {
      const answer = await post('transfer', body, {}, who)
      expect(answer).toMatchObject({
        status: 404,
        body: { type: expect.stringContaining('account-not-found') },
      })
    }
  })

  const huge = '{"account_id":"A","to_account_id":"B","amount":1e309}'
  test.each([
    ['zero', 0],
    ['a negative number', -1],
    ['a tenth of a cent', 0.001],
    ['a number that is too large', 2 ** 53],
    ['text that is too large for the database', '9223372036854775808'],
    ['text with other digits', '１２'],
    ['nothing', null],
    ['a list', [1]],
    ['a boolean', true],
  ])('of %s is invalid and changes nothing', async (_name, amount) => {
    const answer = await send(amount)
    expect(answer).toMatchObject({ status: 400, body: { type: expect.stringContaining('invalid-input') } })
    expect(answer.body.errors[0].path).toBe('/amount')
    expect(await ledger.balances(from, to)).toEqual([900_00n, 0n])
  })

  test('of an amount that JSON can’t carry exactly is invalid', async () => {
    const answer = await post('transfer', huge.replace('A', from).replace('B', to))
    expect(answer).toMatchObject({ status: 400 })
  })

  test.each([
    ['an unknown field', { fee: 1 }],
    ['another type', { type: 'deposit' }],
    ['an unknown currency', { currency: 'ABC' }],
    ['a currency in small letters', { currency: 'usd' }],
    ['an id that is not a UUID', { to_account_id: 'x' }],
    ['an id as a URN', { to_account_id: `urn:uuid:${randomUUID()}` }],
    ['a NUL in its description', { description: 'a\u0000b' }],
    ['half a character in its description', { description: 'a\ud800b' }],
    ['a mark in its description that turns the direction of writing', { description: 'a\u202eb' }],
    ['a line end in its metadata', { metadata: { a: 'b\u2028c' } }],
    ['a number in its metadata that JavaScript would change', { metadata: { a: 2 ** 53 } }],
    ['a NUL in its metadata', { metadata: { a: '\u0000' } }],
    ['half a character in a name', { metadata: { '\udc00': 1 } }],
    ['metadata within metadata', { metadata: { a: { b: 1 } } }],
  ])('with %s is invalid', async (_name, more) => {
    expect(await send(1, {}, more)).toMatchObject({ status: 400 })
  })

  test('without a token is 401', async () => {
    const answer = await functions.transfer.request('POST', '/transactions', { body: {} })
    expect(answer).toMatchObject({ status: 401 })
  })
})

describe('deposits and withdrawals', () => {
  test('are for the owner of the account and for operators', async () => {
    expect(await post('deposit', { account_id: from, amount: 5 })).toMatchObject({
      status: 201,
      body: { type: 'deposit', to_account_id: null, balance_after: '905.00' },
    })
    expect(await post('withdraw', { account_id: from, amount: 6 }, {}, 'operator')).toMatchObject({
      status: 201,
      body: { type: 'withdrawal', balance_after: '899.00' },
    })
    expect(await post('withdraw', { account_id: from, amount: 6 }, {}, 'bob')).toMatchObject({ status: 404 })
    expect(await post('deposit', { account_id: from, amount: 6 }, {}, 'bob')).toMatchObject({ status: 404 })
  })
})

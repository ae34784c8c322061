import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import reverseTransaction from './reverse-transaction.ts'
import { testGateway, type TestGateway } from './testing/gateway-fixture.ts'
import {
  alice,
  deposit,
  ending,
  placing,
  testLedger,
  transfer,
  withdrawal,
  type TestLedger,
} from './testing/ledger-fixture.ts'
import transactions from './transactions.ts'

const bob = randomUUID()
let ledger: TestLedger
let gateway: TestGateway
let reversing: TestFunction
let showing: TestFunction
let operator: string
let from: string
let to: string

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  const env = { LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address }
  reversing = await startFunction(reverseTransaction, env)
  showing = await startFunction(transactions, env)
  operator = await token({ userId: randomUUID(), role: 'operator' })
})

afterAll(async () => {
  await reversing.stop()
  await showing.stop()
  expect(await ledger.faults()).toEqual([])
  await gateway.close()
  await ledger.close()
})

beforeEach(async () => {
  from = await ledger.open()
  to = await ledger.open({ userId: bob })
  await ledger.post(deposit(from, 900_00))
  gateway.events.length = 0
})

const reverse = (
  id: string,
  { reason = 'entered twice', key = '', bearer = operator } = {},
): Promise<Answer> =>
  reversing.request('POST', `/transactions/${id}/reverse`, {
    token: bearer,
    body: { reason },
    headers: key ? { 'idempotency-key': key } : {},
  })

const show = async (id: string) =>
  (await showing.request('GET', `/transactions/${id}`, { token: operator })).body

const named = ({ status, body }: Answer): unknown[] => [status, String(body.type).split('/').at(-1)]

describe('a reversal', () => {
  test('takes a transfer back; the two transactions name each other, and an event tells it', async () => {
    const request = transfer(from, to, 200_00)
    await ledger.post(request)
    const answer = await reverse(request.id)
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({
      type: 'reversal',
      status: 'completed',
      account_id: from,
      to_account_id: to,
      amount: '200.00',
      balance_after: '900.00',
      description: 'entered twice',
      reverses: request.id,
      reversed_by: null,
    })
    expect(await ledger.balances(from, to)).toEqual([900_00n, 0n])
    expect(await show(request.id)).toMatchObject({ status: 'reversed', reversed_by: answer.body.id })
    expect(await show(answer.body.id)).toMatchObject(answer.body)
    const event = await until(
      () => gateway.events.find(({ headers }) => headers['ce-type'] === 'transaction.reversed'),
      { what: 'the event' },
    )
    expect(event.data).toMatchObject({
      transaction_id: answer.body.id,
      reverses: request.id,
      user_id: alice,
      to_user_id: bob,
      new_balance: '900.00',
      to_new_balance: '0.00',
      reason: 'entered twice',
    })
  })

  test.each([
    ['a deposit', () => deposit(from, 100_00), 900_00n],
    ['a withdrawal', () => withdrawal(from, 100_00), 900_00n],
  ])('takes %s back', async (_what, make, after) => {
    const request = make()
    await ledger.post(request)
    expect(await reverse(request.id)).toMatchObject({ status: 201, body: { to_account_id: null } })
    expect(await ledger.balances(from)).toEqual([after])
  })

  test.each([
    ['in whole', 50_00],
    ['in part, so that the rest was released', 30_00],
  ])('takes back a hold that was captured %s; it stays captured', async (_what, amount) => {
    const hold = placing(from, 50_00)
    await ledger.post(hold)
    const capture = ending('capture', hold, amount, { to_account_id: to })
    await ledger.post(capture)
    const answers = await Promise.all([1, 2, 3].map(() => reverse(capture.id)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409])
    const done = answers.find(({ status }) => status === 201)!
    expect([done.body.amount, done.body.hold_id]).toEqual([`${amount / 100}.00`, null])
    expect(await ledger.balances(from, to)).toEqual([900_00n, 0n])
    const [left] = await ledger.db.query({
      text: 'select h.status, h.captured, a.held from holds h join accounts a on a.id = h.account_id where h.id = $1',
      values: [hold.id],
    })
    expect(left).toEqual({ status: 'captured', captured: BigInt(amount), held: 0n })
    const again = ending('capture', hold, amount, { to_account_id: to })
    expect((await ledger.post(again))[0]!.outcome).toBe('hold-captured')
  })

  test('can be reversed in turn, as often as the last one', async () => {
    const request = deposit(from, 100_00)
    await ledger.post(request)
    const first = await reverse(request.id)
    const second = await reverse(first.body.id)
    const third = await reverse(second.body.id)
    expect([first.status, second.status, third.status]).toEqual([201, 201, 201])
    expect([first, second, third].map(({ body }) => body.balance_after)).toEqual([
      '900.00',
      '1000.00',
      '900.00',
    ])
    expect(named(await reverse(first.body.id))).toEqual([409, 'already-reversed'])
  })

  test('counts from the day from which the transaction counted', async () => {
    const valueDate = new Date(Date.now() - 10 * 86_400_000).toISOString().slice(0, 10)
    const request = deposit(from, 100_00, { value_date: valueDate })
    await ledger.post(request)
    const { body } = await reverse(request.id)
    expect(body.value_date).toBe(valueDate)
    const rows = await ledger.db.query({
      text: 'select value_date::text, amount from entries where transaction_id = $1 and account_id = $2',
      values: [body.id, from],
    })
    expect(rows).toEqual([{ value_date: valueDate, amount: -100_00n }])
  })

  test('is done once, from however many sides it is asked', async () => {
    const request = transfer(from, to, 200_00)
    await ledger.post(request)
    const answers = await Promise.all(Array.from({ length: 20 }, () => reverse(request.id)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    for (const answer of answers)
      if (answer.status !== 201) expect(named(answer)).toEqual([409, 'already-reversed'])
    expect(await ledger.balances(from, to)).toEqual([900_00n, 0n])
  })

  test('with its key is answered again; with the key and another reason it is refused', async () => {
    const request = transfer(from, to, 200_00)
    await ledger.post(request)
    const key = randomUUID()
    const answers = await Promise.all([reverse(request.id, { key }), reverse(request.id, { key })])
    answers.push(await reverse(request.id, { key }))
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1)
    expect(named(await reverse(request.id, { key, reason: 'another' }))).toEqual([
      422,
      'idempotency-key-reused',
    ])
  })
})

describe('a reversal is refused', () => {
  test('if the payee no longer has the money', async () => {
    const request = transfer(from, to, 200_00)
    await ledger.post(request, withdrawal(to, 1, { caller_id: bob }))
    expect(named(await reverse(request.id))).toEqual([409, 'insufficient-funds'])
    expect(await show(request.id)).toMatchObject({ status: 'completed', reversed_by: null })
  })

  test('if one of the accounts is frozen or closed', async () => {
    const request = transfer(from, to, 200_00)
    await ledger.post(request)
    await ledger.setStatus(to, 'frozen')
    expect(named(await reverse(request.id))).toEqual([409, 'account-frozen'])
    await ledger.setStatus(to, 'open')
    const [balance] = await ledger.balances(to)
    await ledger.post(withdrawal(to, balance!, { caller_id: bob }))
    await ledger.setStatus(to, 'closed')
    expect(named(await reverse(request.id))).toEqual([409, 'account-closed'])
  })

  test('for an order that moved no money, or has not yet', async () => {
    const rejected = transfer(from, to, 5_000_00, { requested: true })
    await ledger.post(rejected)
    const pending = transfer(from, to, 1)
    await ledger.order(pending)
    expect(named(await reverse(rejected.id))).toEqual([409, 'not-completed'])
    expect(named(await reverse(pending.id))).toEqual([409, 'not-completed'])
  })

  test('for a transaction that is not there, without a reason, and to customers', async () => {
    const request = transfer(from, to, 1)
    await ledger.post(request)
    expect(named(await reverse(randomUUID()))).toEqual([404, 'not-found'])
    expect((await reverse(request.id, { reason: '' })).status).toBe(400)
    expect((await reverse(request.id, { bearer: await token({ userId: alice }) })).status).toBe(403)
    const bare = await reversing.request('POST', `/transactions/${request.id}/reverse`, {
      body: { reason: 'x' },
    })
    expect(bare.status).toBe(401)
    expect(await ledger.balances(from, to)).toEqual([899_99n, 1n])
  })

  test('to the bank itself: cash that was carried to a vault stays there', async () => {
    const currency = 'CHF'
    const account = await ledger.open({ currency })
    await ledger.post(deposit(account, 100, { currency }))
    await ledger.owner.query({
      text: 'select carry_to_vault(cash_account_id($1), now())',
      values: [currency],
    })
    const [carried] = await ledger.db.query<{ id: string }>({
      text: 'select id from transactions where currency = $1 order by id desc limit 1',
      values: [currency],
    })
    expect(named(await reverse(carried!.id))).toEqual([404, 'account-not-found'])
  })
})

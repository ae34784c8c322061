import { randomUUID } from 'node:crypto'
import { token, type Answer } from '../../tests/support/host.ts'
import { deposit } from '../ledger/testing/ledger-fixture.ts'
import { payer, testPayments, type Fault, type Sent, type TestPayments } from './testing/payments-fixture.ts'
import cancelPayment from './cancel-payment.ts'
import createPayment from './create-payment.ts'
import executePayment from './execute-payment.ts'
import { paymentColumns, type PaymentRow } from './payments/payment.ts'
import { settle } from './payments/settle.ts'
import payments from './payments.ts'
import sweepPayments from './sweep-payments.ts'

const payee = randomUUID()
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
let bank: TestPayments
let from: string
let to: string

beforeAll(async () => {
  bank = await testPayments({
    ...{ create: createPayment, execute: executePayment, cancel: cancelPayment },
    ...{ payments, sweep: sweepPayments },
  })
})
afterAll(async () => {
  expect(await bank.ledger.faults()).toEqual([])
  await bank.stop()
})
beforeEach(async () => {
  bank.fault = () => undefined
  bank.calls.length = 0
  from = await bank.ledger.open({ userId: payer })
  to = await bank.ledger.open({ userId: payee })
  await bank.ledger.post(deposit(from, 100_00, { caller_id: payer }))
})

const create = (more: object = {}, sent: Sent = {}): Promise<Answer> =>
  bank.post('create', { account_id: from, amount: 10, payee_account_id: to, ...more }, sent)
const created = async (more: object = {}): Promise<string> => (await create(more)).body.id as string
const execute = (id: string, sent: Sent = {}) => bank.post('execute', { payment_id: id }, sent)
const cancel = (id: string, sent: Sent = {}) => bank.post('cancel', { payment_id: id }, sent)
const statusOf = async (id: string): Promise<string> => (await bank.get(`/payments/${id}`)).body.status
const named = ({ status, body }: Answer) => [status, body.type?.split('/').pop() ?? body.status]
const held = async (): Promise<bigint> => {
  const [row] = await bank.ledger.db.query<{ held: bigint }>({
    text: 'select held from accounts where id = $1',
    values: [from],
  })
  return row!.held
}
const once = (operation: string, fault: Fault) => {
  let left = 3 // A call is tried three times.
  return (name: string) => (name === operation && left-- > 0 ? fault : undefined)
}
/** Hides the ledger's answer. No breaker counts it. */
const lost: Fault = () => ({ status: 500, body: {} })
const due = (id: string) =>
  bank.owner.query({
    text: `alter table payments disable trigger step_by_step;
      update payments set expires_at = now() where id = '${id}';
      alter table payments enable trigger step_by_step`,
  })

describe('a payment', () => {
  test('is created with its money held, and executed', async () => {
    const answer = await create({ description: 'Shoes', return_url: 'https://shop.example/back' })
    expect([answer.status, answer.headers.get('location')]).toEqual([201, `/api/payments/${answer.body.id}`])
    expect(answer.body).toMatchObject({
      ...{ user_id: payer, account_id: from, payee_account_id: to, amount: '10.00', status: 'created' },
      ...{ description: 'Shoes', return_url: 'https://shop.example/back', failure: null },
    })
    expect(await held()).toBe(10_00n)
    const { status, body } = await execute(answer.body.id)
    expect([status, body.status]).toEqual([200, 'executed'])
    expect(await bank.ledger.balances(from, to)).toEqual([90_00n, 10_00n])
    expect(await held()).toBe(0n)
    expect((await bank.get(`/payments/${body.id}`)).body).toEqual(body)
    expect((await bank.get('/payments?status=executed&limit=1')).body.items).toEqual([body])
  })

  test('leaves neither its description nor its return URL in the audit', async () => {
    const id = await created({ description: 'Shoes', return_url: 'https://shop.example/?user=ada' })
    const audit = await bank.owner.query<{ details: Record<string, unknown> }>({
      text: `select details from audit where subject = $1`,
      values: [id],
    })
    expect(audit).toMatchObject([{ details: { description: '(given)', return_url: '(given)' } }])
  })

  test('is cancelled, and its money is available again', async () => {
    const id = await created()
    expect(named(await cancel(id))).toEqual([200, 'cancelled'])
    expect([await held(), await bank.ledger.balances(to)]).toEqual([0n, [0n]])
    expect(named(await execute(id))).toEqual([409, 'payment-cancelled'])
  })

  test('expires, and can’t be executed then', async () => {
    const [id, other] = [await created(), await created()]
    await due(id)
    await due(other)
    expect(named(await execute(other))).toEqual([409, 'payment-expired'])
    await bank.ping()
    expect([await statusOf(id), await statusOf(other), await held()]).toEqual(['expired', 'expired', 0n])
    expect(named(await cancel(id))).toEqual([409, 'payment-expired'])
  })

  test('that is executed and cancelled at once has one end, and the other request gets its name', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await created({ amount: 1 })
      const answers = await Promise.all([execute(id), cancel(id), execute(id), cancel(id)])
      const end = await statusOf(id)
      expect(['executed', 'cancelled']).toContain(end)
      for (const [i, answer] of answers.entries()) {
        const wanted = i % 2 === 0 ? 'executed' : 'cancelled'
        expect(named(answer)).toEqual(wanted === end ? [200, end] : [409, `payment-${end}`])
      }
    }
    expect(await held()).toBe(0n)
  })

  test('of two that want more than there is, one is refused', async () => {
    const answers = await Promise.all([create({ amount: 60 }), create({ amount: 60 })])
    expect(answers.map(named).sort()).toEqual([
      [201, 'created'],
      [409, 'insufficient-funds'],
    ])
  })

  test('of which nobody knows for six days whether its money is held fails, and has no second hold', async () => {
    const key = randomUUID()
    bank.fault = (name) => (name === 'place-hold' ? lost : undefined)
    expect((await create({}, { key })).status).toBe(503)
    bank.fault = () => undefined
    const [row] = await bank.db.query<{ id: string }>({
      text: `select id from payments where account_id = $1`,
      values: [from],
    })
    await bank.owner.query({
      text: `alter table payments disable trigger step_by_step;
        update payments set created_at = created_at - interval '6 days 1 hour' where id = '${row!.id}';
        alter table payments enable trigger step_by_step`,
    })
    // The ledger has forgotten the key.
    await bank.ledger.owner.query({ text: 'delete from idempotency_keys' })
    await bank.letAMinutePass()
    await bank.ping()
    expect((await bank.get(`/payments/${row!.id}`)).body).toMatchObject({
      ...{ status: 'failed', failure: 'outcome-unknown' },
    })
    expect(named(await create({}, { key }))).toEqual([409, 'outcome-unknown'])
    expect(await held()).toBe(10_00n)
  })

  test('is not set back by a process that was slow to write a step which others have passed', async () => {
    bank.fault = (name) => (name === 'place-hold' ? lost : undefined)
    await create()
    bank.fault = () => undefined
    const [placing] = await bank.db.query<PaymentRow>({
      text: `select ${paymentColumns} from payments where account_id = $1`,
      values: [from],
    })
    const settleAgain = async () =>
      (await settle(placing!, bank.functions.sweep.tools, { traceparent })).status
    expect(await settleAgain()).toBe('created')
    expect(await settleAgain()).toBe('created')
    await cancel(placing!.id)
    expect(await settleAgain()).toBe('cancelled')
    const told = await bank.owner.query({
      text: `select type from outbox where subject = $1 order by id`,
      values: [placing!.id],
    })
    expect(told.map(({ type }) => type)).toEqual(['payment.created', 'payment.cancelled'])
  })

  test('tells its steps by events', async () => {
    const [paid, left, late] = [await created(), await created(), await created()]
    await execute(paid)
    await cancel(left)
    await due(late)
    await bank.ping()
    for (const { tools } of Object.values(bank.functions)) await tools.outbox.drain()
    const told = (id: string) =>
      bank.events.filter(({ data }) => data.payment_id === id).map(({ type }) => type)
    expect(told(paid)).toEqual(['payment.created', 'payment.executed'])
    expect(told(left)).toEqual(['payment.created', 'payment.cancelled'])
    expect(told(late)).toEqual(['payment.created', 'payment.expired'])
  })
})

describe('is refused', () => {
  test.each([
    ['no payee', { payee_account_id: undefined }, '/payee_account_id'],
    ['two payees', { payee_email: 'a@b.example' }, '/payee_account_id'],
    ['a URL that is not https', { return_url: 'http://shop.example' }, '/return_url'],
    ['a URL with a password', { return_url: 'https://a:b@shop.example' }, '/return_url'],
    ['a script', { return_url: 'javascript:alert(1)' }, '/return_url'],
    ['an amount of zero', { amount: 0 }, '/amount'],
    ['a description that turns the direction of writing', { description: 'a\u2067b' }, '/description'],
    ['a life of seconds', { expires_in: 5 }, '/expires_in'],
  ])('for %s', async (_what, body, path) => {
    const answer = await create(body)
    expect([answer.status, answer.body.errors?.[0].path]).toEqual([400, path])
    expect(bank.calls).toEqual([])
  })

  test('with the ledger’s own reason, and holds nothing', async () => {
    expect(named(await create({ amount: 101 }))).toEqual([409, 'insufficient-funds'])
    expect(named(await create({ account_id: to }))).toEqual([404, 'account-not-found'])
    expect(await held()).toBe(0n)
  })

  test('without a token, and for another’s payment as if it were not there', async () => {
    const id = await created()
    for (const [name, fn] of Object.entries({ create: 1, execute: 1, cancel: 1 }) as ['create', number][])
      expect([
        fn,
        (await bank.functions[name].request('POST', `/payments/${name}`, { body: {} })).status,
      ]).toEqual([1, 401])
    for (const name of ['execute', 'cancel'] as const)
      expect(named(await bank.post(name, { payment_id: id }, { userId: payee }))).toEqual([404, 'not-found'])
    expect((await bank.get(`/payments/${id}`, payee)).status).toBe(404)
    expect((await bank.get('/payments', payee)).body.items).toEqual([])
    expect((await bank.get(`/payments?user_id=${payer}`)).body.items[0].id).toBe(id)
    expect(named(await bank.get(`/payments?user_id=${payer}`, payee))).toEqual([404, 'not-found'])
    const bearer = await token({ userId: randomUUID(), role: 'operator' })
    const listed = async (userId: string) =>
      (await bank.functions.payments.request('GET', `/payments?user_id=${userId}`, { token: bearer })).body
        .items
    expect([(await listed(payer))[0].id, await listed(payee)]).toEqual([id, []])
  })
})

describe('repeated with its key', () => {
  test('a payment is created once, and says the same', async () => {
    const key = randomUUID()
    const [one, two, three] = await Promise.all([
      create({}, { key }),
      create({}, { key }),
      create({}, { key }),
    ])
    const again = (await execute(one.body.id), await create({}, { key }))
    for (const answer of [two, three, again]) expect([answer.status, answer.body]).toEqual([201, one.body])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(named(await create({ amount: 11 }, { key }))).toEqual([422, 'idempotency-key-reused'])
    expect(await bank.ledger.balances(from)).toEqual([90_00n])
  })

  test('a refused one stays refused', async () => {
    const key = randomUUID()
    const first = await create({ amount: 1000 }, { key })
    await bank.ledger.post(deposit(from, 2000_00, { caller_id: payer }))
    expect(named(await create({ amount: 1000 }, { key }))).toEqual(named(first))
  })

  test('an execution is the same, and its key is good for no other payment', async () => {
    const [id, other, key] = [await created(), await created(), randomUUID()]
    const first = await execute(id, { key })
    expect((await execute(id, { key })).body).toEqual(first.body)
    expect(named(await execute(other, { key }))).toEqual([422, 'idempotency-key-reused'])
    expect(await statusOf(other)).toBe('created')
  })
})

describe('a ledger that', () => {
  const lies: [string, Fault][] = [
    ['dies before its work', 'before'],
    ['dies after its work', 'after'],
    ['answers 503', () => ({ status: 503, body: {} })],
    ['answers 500', () => ({ status: 500, body: {} })],
    ['answers rubbish', () => ({ status: 200, body: '<html>' })],
    ['answers nothing', () => ({ status: 201, body: {} })],
    ['answers with another amount', ({ body }) => ({ status: 201, body: { ...body, amount: '9999.00' } })],
    [
      'answers with another hold',
      ({ body }) => ({ status: 201, body: { ...body, hold_id: randomUUID(), account_id: randomUUID() } }),
    ],
    ['refuses without a reason', () => ({ status: 409, body: {} })],
    ['doesn’t know us', () => ({ status: 401, body: {} })],
  ]
  test.each(lies)('%s leaves a payment under way, and it is finished later', async (_what, fault) => {
    bank.fault = once('place-hold', fault)
    const key = randomUUID()
    expect((await create({}, { key })).status).toBe(503)
    bank.fault = () => undefined
    const { status, body } = await create({}, { key })
    expect([status, body.status, await held()]).toEqual([201, 'created', 10_00n])
    bank.fault = once('capture-hold', fault)
    expect((await execute(body.id)).status).toBe(503)
    expect(await statusOf(body.id)).toBe('executing')
    // What is decided stays decided, although it is not done.
    bank.fault = () => 'before'
    expect((await cancel(body.id)).status).toBe(503)
    bank.fault = () => undefined
    await bank.ping()
    expect(await statusOf(body.id)).toBe('executing')
    await bank.letAMinutePass()
    await bank.ping()
    expect(await statusOf(body.id)).toBe('executed')
    expect(await bank.ledger.balances(from, to)).toEqual([90_00n, 10_00n])
    expect(named(await cancel(body.id))).toEqual([409, 'payment-executed'])
  })
})

test('what was left under way before the clock was set back is finished with the next sweep', async () => {
  const id = await created()
  bank.fault = (name) => (name === 'capture-hold' ? lost : undefined)
  expect((await execute(id)).status).toBe(503)
  bank.fault = () => undefined
  await bank.owner.query({
    text: `update payments set taken_at = taken_at + interval '2 hours' where id = $1`,
    values: [id],
  })
  await bank.ping()
  expect(await statusOf(id)).toBe('executed')
})

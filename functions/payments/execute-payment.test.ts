import { randomUUID } from 'node:crypto'
import { token, type Answer } from '../../tests/support/host.ts'
import { deposit } from '../ledger/testing/ledger-fixture.ts'
import cancelPayment from './cancel-payment.ts'
import createPayment from './create-payment.ts'
import executePayment from './execute-payment.ts'
import payments from './payments.ts'
import sweepPayments from './sweep-payments.ts'
import { payer, testPayments, type TestPayments } from './testing/payments-fixture.ts'

let bank: TestPayments
let from: string

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
  bank.calls.length = 0
  from = await bank.ledger.open({ userId: payer })
  await bank.ledger.post(deposit(from, 100_00, { caller_id: payer }))
})

const create = (payee: object, userId = payer, account = from): Promise<Answer> =>
  bank.post('create', { account_id: account, amount: 10, ...payee }, { userId })
const execute = (id: string, userId = payer) => bank.post('execute', { payment_id: id }, { userId })
const named = ({ status, body }: Answer) => [status, body.type?.split('/').pop() ?? body.status]
const failureOf = async (id: string): Promise<unknown[]> => {
  const { status, failure } = (await bank.get(`/payments/${id}`)).body
  return [status, failure]
}

async function customer(email: string): Promise<string> {
  const [row] = await bank.identity.query<{ id: string }>({
    text: `insert into users (name, email, email_confirmed_at) values ('Pia', $1, now()) returning id`,
    values: [email],
  })
  return row!.id
}

describe('a payment to an address', () => {
  test('is created without a question whose it is, and reaches the oldest account in its currency', async () => {
    const email = `${randomUUID()}@example.com`
    const payee = await customer(email)
    await bank.ledger.open({ userId: payee, currency: 'EUR' })
    const to = await bank.ledger.open({ userId: payee })
    await bank.ledger.open({ userId: payee })
    const { body } = await create({ payee_email: email.toUpperCase() })
    const unknown = await create({ payee_email: 'nobody@example.com' })
    expect(Object.keys(unknown.body)).toEqual(Object.keys(body))
    expect([unknown.status, unknown.body.status]).toEqual([201, 'created'])
    expect(bank.calls).toEqual(['place-hold', 'place-hold'])
    const executed = await execute(body.id)
    expect(named(executed)).toEqual([200, 'executed'])
    expect(executed.body.payee_account_id).toBeNull()
    expect(await bank.ledger.balances(to)).toEqual([10_00n])
    await bank.functions.execute.tools.outbox.drain()
    expect(bank.events.filter(({ type }) => type === 'payment.received').map(({ data }) => data)).toEqual([
      expect.objectContaining({ user_id: payee, account_id: to, amount: '10.00' }),
    ])
  })

  test('fails with one name, whatever the reason, and after ten of them others have to wait', async () => {
    const user = randomUUID()
    const account = await bank.ledger.open({ userId: user })
    await bank.ledger.post(deposit(account, 900_00, { caller_id: user }))
    const [none, poor, frozen] = ['none', 'poor', 'frozen'].map(
      (name) => `${name}-${randomUUID()}@example.com`,
    )
    await bank.ledger.open({ userId: await customer(poor!), currency: 'EUR' })
    const full = await bank.ledger.open({ userId: await customer(frozen!), balanceLimit: 5n })
    for (const [i, email] of [none, poor, frozen, none, none, none, none, none, none, none].entries()) {
      const { id } = (await create({ payee_email: email }, user, account)).body
      const answer = await execute(id, user)
      expect([i, ...named(answer)]).toEqual([i, 409, 'payment-failed'])
      expect(answer.body.detail).toContain('payee-unreachable')
    }
    const next = (await create({ payee_email: frozen }, user, account)).body.id
    const refused = await execute(next, user)
    expect([...named(refused), refused.headers.get('retry-after')]).toEqual([
      ...[429, 'too-many-unreachable-payees', '86400'],
    ])
    expect(named(await bank.post('cancel', { payment_id: next }, { userId: user }))).toEqual([
      200,
      'cancelled',
    ])
    expect(await bank.ledger.balances(account, full)).toEqual([900_00n, 0n])
  })
})

test('requests at once can’t try out more addresses together', async () => {
  const user = randomUUID()
  const account = await bank.ledger.open({ userId: user })
  await bank.ledger.post(deposit(account, 900_00, { caller_id: user }))
  const ids: string[] = []
  for (let i = 0; i < 13; i++)
    ids.push((await create({ payee_email: `no-${i}@example.com` }, user, account)).body.id)
  const answers = await Promise.all(ids.map((id) => execute(id, user)))
  const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length
  expect([count(409), count(429)]).toEqual([10, 3])
})

describe('what others do to the hold behind its back', () => {
  const end = async (step: 'capture' | 'release', hold: string, role: 'customer' | 'operator', body = {}) =>
    bank.callLedger(`${step}-hold`, `/holds/${hold}/${step}`, {
      ...{ body, token: await token({ userId: role === 'customer' ? payer : randomUUID(), role }) },
    })

  test('is refused to the payer', async () => {
    const to = await bank.ledger.open({ userId: randomUUID() })
    const { id, hold_id: hold } = (await create({ payee_account_id: to })).body
    expect(named(await end('release', hold, 'customer'))).toEqual([403, 'hold-not-yours'])
    expect(named(await end('capture', hold, 'customer', { to_account_id: to }))).toEqual([
      403,
      'hold-not-yours',
    ])
    expect(named(await execute(id))).toEqual([200, 'executed'])
  })

  test('ends in a status that says so', async () => {
    const [to, elsewhere] = [
      await bank.ledger.open({ userId: randomUUID() }),
      await bank.ledger.open({ userId: randomUUID() }),
    ]
    const made = async () => (await create({ payee_account_id: to })).body
    const [released, captured, cancelled] = [await made(), await made(), await made()]
    await end('release', released.hold_id, 'operator')
    await end('capture', captured.hold_id, 'operator', { to_account_id: elsewhere })
    await end('release', cancelled.hold_id, 'operator')
    expect(named(await execute(released.id))).toEqual([409, 'payment-failed'])
    expect(await failureOf(released.id)).toEqual(['failed', 'hold-released'])
    expect(named(await bank.post('cancel', { payment_id: captured.id }))).toEqual([409, 'payment-failed'])
    expect(await failureOf(captured.id)).toEqual(['failed', 'hold-captured'])
    expect(named(await bank.post('cancel', { payment_id: cancelled.id }))).toEqual([200, 'cancelled'])
    expect(await bank.ledger.balances(from, to, elsewhere)).toEqual([90_00n, 0n, 10_00n])
  })

  test('a refused execution fails with the ledger’s reason, and gives the money back', async () => {
    const to = await bank.ledger.open({ userId: randomUUID(), balanceLimit: 5n })
    const { id } = (await create({ payee_account_id: to })).body
    expect(named(await execute(id))).toEqual([409, 'payment-failed'])
    expect(await failureOf(id)).toEqual(['failed', 'limit-exceeded'])
    const again = await create({ payee_account_id: to })
    expect(again.status).toBe(201)
  })
})

import { randomUUID } from 'node:crypto'
import { startFunction, token, type Answer, type TestFunction } from '../../tests/support/host.ts'
import { until } from '../../tests/support/until.ts'
import { testGateway, type ReceivedEvent, type TestGateway } from './gateway-fixture.ts'
import { alice, deposit as depositRequest, testLedger, type TestLedger } from './ledger-fixture.ts'
import sweepLedger from './sweep-ledger.ts'
import transactions from './transactions.ts'
import transfer from './transfer.ts'

/** Orders: transactions that were answered with 202, from the request to what becomes of them. */

const bob = randomUUID()
const later = { prefer: 'respond-async' }
let ledger: TestLedger
let gateway: TestGateway
let functions: Record<'transfer' | 'transactions' | 'sweep', TestFunction>
let caller: string
let from: string
let to: string
const others: TestFunction[] = []

beforeAll(async () => {
  ledger = await testLedger()
  gateway = await testGateway()
  functions = {
    transfer: await startFunction(transfer, env()),
    transactions: await startFunction(transactions, env()),
    sweep: await startFunction(sweepLedger, env()),
  }
  caller = await token({ userId: alice })
})

afterAll(async () => {
  for (const running of [...Object.values(functions), ...others]) await running.stop()
  await gateway.close()
  await ledger.close()
})

beforeEach(async () => {
  from = await ledger.open()
  to = await ledger.open({ userId: bob })
  await ledger.post(depositRequest(from, 900_00))
  gateway.brokerStatus = 202
  gateway.events.length = 0
})

const env = () => ({ LEDGER_DATABASE_URL: ledger.database.url, LOCAL_GATEWAY: gateway.address })

async function another(more: Record<string, string>): Promise<TestFunction> {
  const running = await startFunction(transfer, { ...env(), ...more })
  others.push(running)
  return running
}

const send = (amount: unknown, headers = {}, by = functions.transfer): Promise<Answer> =>
  by.request('POST', '/transactions', {
    token: caller,
    headers,
    body: { type: 'transfer', account_id: from, to_account_id: to, amount },
  })

const show = async (id: string) =>
  (await functions.transactions.request('GET', `/transactions/${id}`, { token: caller })).body

const ofOrder = (id: string): ReceivedEvent | undefined =>
  gateway.events.find(
    ({ headers }) => headers['ce-type'] === 'transaction.requested' && headers['ce-id'] === id,
  )
const eventOf = (id: string): Promise<ReceivedEvent> =>
  until(() => ofOrder(id), { what: `the event of ${id}` })

/** Delivers a stored event as the Broker does. */
function deliver({ headers, data }: ReceivedEvent, by = functions.transfer): Promise<Answer> {
  const attributes = Object.entries(headers).filter(([name]) => name.startsWith('ce-')) as [string, string][]
  return by.request('POST', '/events', {
    body: data,
    headers: { ...Object.fromEntries(attributes), host: 'transfer.bank.svc.cluster.local' },
  })
}

const ping = (): Promise<Answer> =>
  functions.sweep.request('POST', '/events', {
    headers: {
      host: 'sweep-ledger.bank.svc.cluster.local',
      'ce-specversion': '1.0',
      'ce-id': randomUUID(),
      'ce-type': 'dev.knative.sources.ping',
      'ce-source': '/apis/v1/namespaces/bank/pingsources/sweep-ledger',
    },
  })

/** Makes the order look as if it had been taken in long ago, or in a future that a clock was set back from. */
async function age(id: string, by: string): Promise<void> {
  // Written anew, for the books let nobody change a row.
  await ledger.owner.query({
    text: `with aged as (delete from transactions where id = $1 and status = 'pending' returning *)
      insert into transactions (id, type, status, account_id, to_account_id, amount, currency, user_id, created_at)
      select id, type, status, account_id, to_account_id, amount, currency, user_id, created_at - $2::interval
      from aged`,
    values: [id, by],
  })
}

test('a transfer is pending until its event is delivered, and is posted once', async () => {
  const answer = await send('200.00', later)
  expect(answer).toMatchObject({ status: 202, body: { status: 'pending', balance_after: null } })
  expect(answer.headers.get('location')).toBe(`/api/transactions/${answer.body.id}`)
  expect(answer.headers.get('preference-applied')).toBe('respond-async')
  expect(await show(answer.body.id)).toEqual(answer.body)
  expect(await ledger.balances(from, to)).toEqual([900_00n, 0n])

  const event = await eventOf(answer.body.id)
  expect(event.headers).toMatchObject({ 'ce-id': answer.body.id, 'ce-transactiontype': 'transfer' })
  const deliveries = await Promise.all(Array.from({ length: 8 }, () => deliver(event)))
  expect(new Set(deliveries.map(({ status }) => status))).toEqual(new Set([204]))
  expect(await show(answer.body.id)).toMatchObject({ status: 'completed', balance_after: '700.00' })
  expect(await ledger.balances(from, to)).toEqual([700_00n, 200_00n])
})

test('a refusal is found in the transaction, and is an event', async () => {
  const answer = await send('900.01', later)
  await deliver(await eventOf(answer.body.id))
  expect(await show(answer.body.id)).toMatchObject({ status: 'rejected', balance_after: null })
  const event = await until(
    () => gateway.events.find(({ headers }) => headers['ce-type'] === 'transaction.rejected'),
    { what: 'the event' },
  )
  expect(event.data).toMatchObject({ transaction_id: answer.body.id, refusal: 'insufficient-funds' })
})

describe('the same key', () => {
  const withoutReplayed = ({ status, headers, body }: Answer) => {
    const kept = Object.fromEntries(
      ['location', 'preference-applied', 'content-type'].map((name) => [name, headers.get(name)]),
    )
    return { status, kept, text: JSON.stringify(body) }
  }

  test.each(['5', '900.01'])(
    'gives the same answer to the letter, before and after the order of %s is settled',
    async (amount) => {
      const headers = { ...later, 'idempotency-key': randomUUID() }
      const first = await send(amount, headers)
      expect(first.headers.has('idempotency-replayed')).toBe(false)
      const second = await send(amount, headers)
      await deliver(await eventOf(first.body.id))
      const third = await send(amount, headers)
      for (const repeat of [second, third]) {
        expect(withoutReplayed(repeat)).toEqual(withoutReplayed(first))
        expect(repeat.headers.get('idempotency-replayed')).toBe('true')
      }
      expect(await send('6', headers)).toMatchObject({ status: 422 })
    },
  )

  test('that came first without the preference gives what it gave then', async () => {
    for (const amount of ['5', '900.01']) {
      const key = { 'idempotency-key': randomUUID() }
      const first = await send(amount, key)
      const second = await send(amount, { ...later, ...key })
      expect([second.status, second.body]).toEqual([first.status, first.body])
      expect(second.headers.get('idempotency-replayed')).toBe('true')
    }
    expect(await ledger.balances(to)).toEqual([5_00n])
  })

  test('without the preference posts a pending order now; its event then has no effect', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const { id } = (await send(5, { ...later, ...key })).body
    const now = await send(5, key)
    expect(now).toMatchObject({ status: 201, body: { id, status: 'completed', balance_after: '895.00' } })
    expect(await deliver(await eventOf(id))).toMatchObject({ status: 204 })
    const again = await send(5, key)
    expect([again.status, again.body]).toEqual([201, now.body])
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(await ledger.balances(from, to)).toEqual([895_00n, 5_00n])
  })

  test('without the preference refuses a pending order now, and that stands', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const { id } = (await send('900.01', { ...later, ...key })).body
    expect(await send('900.01', key)).toMatchObject({ status: 409 })
    await ledger.post(depositRequest(from, 100_00))
    await deliver(await eventOf(id))
    expect(await send('900.01', key)).toMatchObject({
      status: 409,
      body: { type: 'https://microbank.dev/problems/insufficient-funds' },
    })
    expect(await show(id)).toMatchObject({ status: 'rejected' })
  })

  test('and the event and a sweep at the same moment post the order once', async () => {
    const second = await another({})
    for (let round = 0; round < 20; round++) {
      const key = { 'idempotency-key': randomUUID() }
      const { id } = (await send('1.00', { ...later, ...key })).body
      await age(id, '1 hour')
      const event = await eventOf(id)
      const [swept, ...answers] = await Promise.all([
        ping(),
        ...[functions.transfer, second].flatMap((by) => [send('1.00', key, by), deliver(event, by)]),
      ])
      expect([swept.status, ...answers.map(({ status }) => status)]).toEqual([204, 201, 204, 201, 204])
      expect(new Set(answers.flatMap(({ body }) => (body ? [JSON.stringify(body)] : []))).size).toBe(1)
    }
    expect(await ledger.balances(from, to)).toEqual([880_00n, 20_00n])
    expect(await ledger.faults()).toEqual([])
  })
})

describe('an order is not lost', () => {
  test.each([
    ['refuses', 503],
    ['takes requests and never answers', 0],
  ])(
    'while the Broker %s: 202 at once, and its event is published when the Broker is back',
    async (_name, status) => {
      gateway.brokerStatus = status
      const orders = await Promise.all(
        Array.from({ length: 30 }, () => send('1.00', { ...later, 'idempotency-key': randomUUID() })),
      )
      expect(new Set(orders.map((answer) => answer.status))).toEqual(new Set([202]))
      expect(gateway.events).toEqual([])
      gateway.brokerStatus = 202
      await until(() => orders.every(({ body }) => ofOrder(body.id)), {
        timeoutMs: 45_000,
        what: 'the events',
      })
      for (const { body } of orders) await deliver(ofOrder(body.id)!)
      expect(await ledger.balances(to)).toEqual([30_00n])
    },
    60_000,
  )

  test('when its function dies between commit and publishing: another function of the context publishes', async () => {
    const request = { ...depositRequest(from, 5_00), id: randomUUID() }
    await ledger.order(request)
    await ledger.owner.query({ text: 'update outbox_pending set claimed_until = now()' })
    expect(await ping()).toMatchObject({ status: 204 })
    const { headers } = await eventOf(request.id)
    expect(headers).toMatchObject({ 'ce-transactiontype': 'deposit', 'ce-signature': expect.any(String) })
  })

  test.each([
    ['long ago', '1 hour'],
    ['in a future that the clock was set back from', '-1 hour'],
  ])('when its event is, and it was taken in %s: a sweep posts or refuses it', async (_name, by) => {
    const [posted, refused, young] = [
      await send('5', later),
      await send('900', later),
      await send('1', later),
    ]
    await age(posted.body.id, by)
    await age(refused.body.id, by)
    // The Broker is of no use for this.
    gateway.brokerStatus = 503
    await ping()
    expect(await show(posted.body.id)).toMatchObject({ status: 'completed', amount: '5.00' })
    expect(await show(refused.body.id)).toMatchObject({ status: 'rejected' })
    expect(await show(young.body.id)).toMatchObject({ status: 'pending' })
    expect(await ledger.balances(to)).toEqual([5_00n])
  })

  test('when the key that it was signed with is replaced', async () => {
    const { id } = (await send('5', later)).body
    const renewed = await another({ REQUEST_SIGNING_KEY: 'another key that is only good for tests, no more' })
    const event = await eventOf(id)
    expect(await deliver(event, renewed)).toMatchObject({ status: 500 })
    await age(id, '1 hour')
    await ping()
    expect(await show(id)).toMatchObject({ status: 'completed' })
  })
})

describe('while the database is away', () => {
  const NOWHERE = { LEDGER_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }

  test('an order without a key goes straight to the Broker, one with a key is not taken', async () => {
    const away = await another(NOWHERE)
    const answer = await send('5', later, away)
    expect(answer).toMatchObject({ status: 202, body: { status: 'pending' } })
    expect(await send('5', { ...later, 'idempotency-key': randomUUID() }, away)).toMatchObject({
      status: 503,
    })
    gateway.brokerStatus = 503
    expect(await send('5', later, away)).toMatchObject({ status: 503 })
    await deliver(await eventOf(answer.body.id))
    expect(await ledger.balances(to)).toEqual([5_00n])
  })

  test('an order that its Trigger would soon give up goes back to the end of the queue', async () => {
    const away = await another(NOWHERE)
    const { id } = (await send('5', later, away)).body
    const event = await eventOf(id)
    expect(await deliver(event, away)).toMatchObject({ status: 503 })
    const old = { ...event, headers: { ...event.headers, 'ce-time': '2026-01-01T00:00:00Z' } }
    gateway.events.length = 0
    expect(await deliver(old, away)).toMatchObject({ status: 204 })
    const parked = await eventOf(id)
    const attributes = ({ headers }: ReceivedEvent) =>
      Object.entries(headers)
        .filter(([name]) => /^ce-(?!trace|time)/.test(name))
        .sort()
    expect(attributes(parked)).toEqual(attributes(event))
    expect(await deliver(parked)).toMatchObject({ status: 204 })
    expect(await ledger.balances(to)).toEqual([5_00n])
    gateway.brokerStatus = 503
    expect(await deliver(old, away)).toMatchObject({ status: 503 })
  }, 30_000)
})

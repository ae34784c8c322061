import { randomUUID } from 'node:crypto'
import { isSigned, signEvent } from '../../../eventing/signature.ts'
import { eventKey } from '../../../tests/support/host.ts'
import { until } from '../../../tests/support/until.ts'
import type { ReceivedEvent } from '../testing/gateway-fixture.ts'
import { deposit } from '../testing/ledger-fixture.ts'
import {
  ledger,
  gateway,
  from,
  to,
  later,
  useOrders,
  another,
  send,
  show,
  ofOrder,
  eventOf,
  deliver,
  ping,
  age,
} from '../testing/orders-fixture.ts'

/** Orders answered with 202 are posted or refused in the end, whatever fails in between. */
useOrders()

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
      expect(orders.filter(({ body }) => ofOrder(body.id))).toEqual([])
      gateway.brokerStatus = 202
      await until(() => orders.every(({ body }) => ofOrder(body.id)), {
        what: 'the events',
      })
      for (const { body } of orders) await deliver(ofOrder(body.id)!)
      expect(await ledger.balances(to)).toEqual([30_00n])
    },
  )

  test('if its function dies between commit and publishing: another function of the context publishes its event', async () => {
    const request = { ...deposit(from, 5_00), id: randomUUID() }
    await ledger.order(request)
    await ledger.owner.query({ text: 'update outbox_pending set claimed_until = now()' })
    expect(await ping()).toMatchObject({ status: 204 })
    const { headers } = await eventOf(request.id)
    expect(headers).toMatchObject({
      'ce-transactiontype': 'deposit',
      'ce-ordersignature': expect.any(String),
    })
  })

  test.each([
    ['long ago', '1 hour'],
    ['in the future, because the clock was set back', '-1 hour'],
  ])('if its event is lost, and it was accepted %s: a sweep posts or refuses it', async (_name, by) => {
    const [posted, refused, young] = [
      await send('5', later),
      await send('900', later),
      await send('1', later),
    ]
    await age(posted.body.id, by)
    await age(refused.body.id, by)
    // So the Broker can't help.
    gateway.brokerStatus = 503
    await ping()
    expect(await show(posted.body.id)).toMatchObject({ status: 'completed', amount: '5.00' })
    expect(await show(refused.body.id)).toMatchObject({ status: 'rejected' })
    expect(await show(young.body.id)).toMatchObject({ status: 'pending' })
    expect(await ledger.balances(to)).toEqual([5_00n])
  })

  test('if another order can’t be posted', async () => {
    const [broken, sound] = [(await send('5', later)).body.id, (await send('6', later)).body.id]
    await ledger.owner.query({
      text: `update outbox set data = jsonb_set(data::jsonb, '{currency}', '"ABC"')::json where id = $1`,
      values: [broken],
    })
    await age(broken, '2 hours')
    await age(sound, '1 hour')
    expect(await ping()).toMatchObject({ status: 204 })
    expect(await show(broken)).toMatchObject({ status: 'pending' })
    expect(await show(sound)).toMatchObject({ status: 'completed' })
    await ledger.owner.query({
      text: `delete from transactions where id = $1 and status = 'pending'`,
      values: [broken],
    })
  })

  test('if the key that it was signed with is replaced', async () => {
    const { id } = (await send('5', later)).body
    const renewed = await another({ REQUEST_SIGNING_KEY: 'another key that is only good for tests, no more' })
    const event = await eventOf(id)
    expect(await deliver(event, renewed)).toMatchObject({ status: 500 })
    await age(id, '1 hour')
    await ping()
    expect(await show(id)).toMatchObject({ status: 'completed' })
  })
})

const attributesIn = (headers: ReceivedEvent['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith('ce-') ? [[name.slice(3), value as string]] : [],
    ),
  )

/** An event with other attributes, signed by the ledger. */
function signedAnew({ headers, data }: ReceivedEvent, change: Record<string, string>): ReceivedEvent {
  const attributes = { ...attributesIn(headers), ...change }
  const signature = signEvent(attributes, JSON.stringify(data), eventKey('ledger'))
  const written = Object.entries({ ...attributes, signature }).map(([name, value]) => [`ce-${name}`, value])
  return { headers: Object.fromEntries(written) as ReceivedEvent['headers'], data }
}

describe('while the database is unreachable', () => {
  const NOWHERE = { LEDGER_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }

  test('an order without a key goes straight to the Broker, and one with a key is refused', async () => {
    const away = await another(NOWHERE)
    const answer = await send('5', later, away)
    expect(answer).toMatchObject({ status: 202, body: { status: 'pending' } })
    // Nothing but the event knows of it. If that dies, the sink keeps it, however many forged ones come.
    const { headers, data } = await eventOf(answer.body.id)
    const message = { attributes: attributesIn(headers), data: Buffer.from(JSON.stringify(data)) }
    expect(isSigned(message, eventKey('ledger'))).toBe(true)
    expect(await send('5', { ...later, 'idempotency-key': randomUUID() }, away)).toMatchObject({
      status: 503,
    })
    gateway.brokerStatus = 503
    expect(await send('5', later, away)).toMatchObject({ status: 503 })
    await deliver(await eventOf(answer.body.id))
    expect(await ledger.balances(to)).toEqual([5_00n])
  })

  test('an order whose Trigger would soon give up goes back to the end of the queue', async () => {
    const away = await another(NOWHERE)
    const { id } = (await send('5', later, away)).body
    const event = await eventOf(id)
    expect(await deliver(event, away)).toMatchObject({ status: 503 })
    const old = signedAnew(event, { time: '2026-01-01T00:00:00Z' })
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
  })
})

import { randomUUID } from 'node:crypto'
import type { Answer } from '../../../tests/support/host.ts'
import { until } from '../../../tests/support/until.ts'
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
  eventOf,
  deliver,
  ping,
  age,
} from '../testing/orders-fixture.ts'

/** Orders (transactions answered with 202), from the request to the outcome. */
useOrders()

test('a transfer is pending until its event is delivered, and is posted once', async () => {
  const answer = await send('200.00', later)
  expect(answer).toMatchObject({ status: 202, body: { status: 'pending', balance_after: null } })
  expect(answer.headers.get('location')).toBe(`/api/transactions/${answer.body.id}`)
  expect(answer.headers.get('preference-applied')).toBe('respond-async')
  expect(await show(answer.body.id)).toMatchObject(answer.body)
  expect(await ledger.balances(from, to)).toEqual([900_00n, 0n])

  const event = await eventOf(answer.body.id)
  expect(event.headers).toMatchObject({ 'ce-id': answer.body.id, 'ce-transactiontype': 'transfer' })
  const deliveries = await Promise.all(Array.from({ length: 8 }, () => deliver(event)))
  expect(new Set(deliveries.map(({ status }) => status))).toEqual(new Set([204]))
  expect(await show(answer.body.id)).toMatchObject({ status: 'completed', balance_after: '700.00' })
  expect(await ledger.balances(from, to)).toEqual([700_00n, 200_00n])
})

test('moves nothing without the ledger’s own signature, though whoever listens to the ledger can sign its event', async () => {
  const { id } = (await send('200.00', later)).body
  const event = await eventOf(id)
  const forged = { ...event, headers: { ...event.headers, 'ce-ordersignature': 'forged' } }
  expect((await deliver(forged)).status).toBe(500)
  expect(await ledger.balances(from, to)).toEqual([900_00n, 0n])
})

test('a refusal is stored with the transaction and emitted as an event', async () => {
  const answer = await send('900.01', later)
  await deliver(await eventOf(answer.body.id))
  expect(await show(answer.body.id)).toMatchObject({ status: 'rejected', balance_after: null })
  const event = await until(
    () =>
      gateway.events.find(
        ({ headers, data }) =>
          headers['ce-type'] === 'transaction.rejected' && data.transaction_id === answer.body.id,
      ),
    { what: 'the event' },
  )
  expect(event.data).toMatchObject({ refusal: 'insufficient-funds' })
})

describe('the same key', () => {
  const withoutReplayed = ({ status, headers, body }: Answer) => {
    const kept = Object.fromEntries(
      ['location', 'preference-applied', 'content-type'].map((name) => [name, headers.get(name)]),
    )
    return { status, kept, text: JSON.stringify(body) }
  }

  test.each(['5', '900.01'])(
    'gives exactly the same answer, before and after the order of %s is settled',
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

  test('that came first without the preference gives its first answer', async () => {
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

  test('without the preference refuses a pending order now, for good', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const { id } = (await send('900.01', { ...later, ...key })).body
    expect(await send('900.01', key)).toMatchObject({ status: 409 })
    await ledger.post(deposit(from, 100_00))
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
        ...[undefined, second].flatMap((by) => [send('1.00', key, by), deliver(event, by)]),
      ])
      expect([swept.status, ...answers.map(({ status }) => status)]).toEqual([204, 201, 204, 201, 204])
      expect(new Set(answers.flatMap(({ body }) => (body ? [JSON.stringify(body)] : []))).size).toBe(1)
    }
    expect(await ledger.balances(from, to)).toEqual([880_00n, 20_00n])
    expect(await ledger.faults()).toEqual([])
  })
})

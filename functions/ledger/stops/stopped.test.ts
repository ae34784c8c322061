import { randomUUID } from 'node:crypto'
import type { Answer } from '../../../tests/support/host.ts'
import { until } from '../../../tests/support/until.ts'
import {
  age,
  deliver,
  eventOf,
  from,
  gateway,
  later,
  ledger,
  ping,
  send,
  show,
  to,
  useOrders,
} from '../testing/orders-fixture.ts'
import { postAllOrNothing } from '../posting/atomic-batch.ts'
import { transfer } from '../testing/ledger-fixture.ts'
import { LedgerStoppedError, toStopped } from './stopped.ts'

/** What callers and orders meet while the ledger has stopped. */
useOrders()

const stop = async (currency: string): Promise<string> => {
  const [row] = await ledger.db.query<{ id: string }>({
    text: `select id from stop_ledger($1, 'a test', null, $2)`,
    values: [currency, randomUUID()],
  })
  return row!.id
}
const lift = (id: string) =>
  ledger.db.query({ text: `select resume_ledger($1, $2, 'a test', null)`, values: [id, randomUUID()] })
const isRefused = ({ status, headers, body }: Answer): void => {
  expect([status, headers.get('retry-after'), body.type]).toEqual([
    503,
    '30',
    'https://microbank.dev/problems/ledger-stopped',
  ])
}

test('an atomic batch that is refused meets a stop that comes while its answer is made', async () => {
  let id = ''
  const posting = ledger.db.transaction((tx) =>
    postAllOrNothing(
      {
        query: async (query) => {
          if (query.name === 'judge-blindly') id = await stop('USD')
          return tx.query(query)
        },
      },
      [transfer(from, to, 10_000_00)],
    ),
  )
  await expect(posting).rejects.toThrow(LedgerStoppedError)
  await lift(id)
})

test('a transfer is refused with 503, and its key can be used when the stop is lifted', async () => {
  const headers = { 'idempotency-key': randomUUID() }
  const id = await stop('USD')
  isRefused(await send('5.00', headers))
  isRefused(await send('5.00', headers))
  isRefused(await send('5.00', { ...later, ...headers }))
  // Without a key an order may go straight to the Broker, but not past a stop.
  isRefused(await send('5.00', later))
  expect(gateway.events.filter(({ headers }) => headers['ce-type'] === 'transaction.requested')).toEqual([])
  await lift(id)
  const answer = await until(
    async () => {
      const repeated = await send('5.00', headers)
      return repeated.status === 201 && repeated
    },
    { what: 'the transfer to be posted' },
  )
  expect(answer.headers.get('idempotency-replayed')).toBeNull()
  expect(await ledger.balances(from, to)).toEqual([895_00n, 5_00n])
})

test('an order waits in the ledger, whatever becomes of its event, and is posted when the stop is lifted', async () => {
  const { body } = await send('5.00', later)
  const event = await eventOf(body.id)
  const id = await stop('USD')
  expect((await deliver(event)).status).toBe(204)
  await age(body.id, '1 hour')
  expect((await ping()).status).toBe(204)
  expect(await show(body.id)).toMatchObject({ status: 'pending' })
  await lift(id)
  await until(
    async () => {
      await ping()
      return (await show(body.id)).status === 'completed'
    },
    { what: 'the order to be posted' },
  )
  expect((await deliver(event)).status).toBe(204)
  expect(await ledger.balances(from, to)).toEqual([895_00n, 5_00n])
})

test('an order that only its event knows is not acknowledged, so it ends as a dead letter', async () => {
  const { body } = await send('5.00', later)
  const event = await eventOf(body.id)
  await ledger.owner.query({ text: `delete from transactions where id = $1`, values: [body.id] })
  const id = await stop('USD')
  expect((await deliver(event)).status).toBe(503)
  await lift(id)
  await until(async () => (await deliver(event)).status === 204, { what: 'the order to be posted' })
  expect(await ledger.balances(from, to)).toEqual([895_00n, 5_00n])
})

test('the error of the database names the currencies, and other errors stay as they are', () => {
  const error = Object.assign(new Error('stopped'), { code: 'MB002', detail: 'EUR,USD' })
  expect(toStopped(error)).toMatchObject({ currencies: ['EUR', 'USD'], reply: { status: 503 } })
  expect(toStopped(error)).toBeInstanceOf(LedgerStoppedError)
  const other = new Error('another')
  expect(toStopped(other)).toBe(other)
})

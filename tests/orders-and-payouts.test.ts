import { startBank, type Bank } from './support/bank.ts'
import { registerCustomer, type Customer } from './support/customers.ts'
import { until } from './support/until.ts'

/** A payment order and a payout through the whole bank: front door, Broker, PingSource, ledger,
 * notification. */

let bank: Bank
let ada: Customer
let from: string
let to: string

beforeAll(async () => {
  bank = await startBank()
  ada = await registerCustomer(bank)
  from = await ada.openAccount('checking')
  to = await ada.openAccount('savings')
  await ada.transact({ type: 'deposit', account_id: from, amount: '100.00' })
})

afterAll(() => bank?.stop())

const call = (method: string, path: string, body?: unknown) =>
  bank.call(method, path, { token: ada.token, ...(body !== undefined && { body }) })

const isTold = async (words: string): Promise<boolean> => {
  const { body } = await call('GET', '/api/notifications')
  return (body.items as { message: string }[]).some(({ message }) => message.includes(words))
}

test('an order is paid when it is due, a payout after its answer, and the customer is told of both', async () => {
  const order = await call('POST', '/api/orders', {
    ...{ account_id: from, to_account_id: to, amount: '30.00' },
    schedule: { every: 'month', on: 31, time_zone: 'Europe/Berlin' },
  })
  expect([order.status, order.body.status]).toEqual([201, 'active'])
  const payout = await call('POST', '/api/payments/payout', {
    account_id: from,
    items: [
      { to_account_id: to, amount: '5.00' },
      { email: 'nobody@example.com', amount: '5.00' },
    ],
  })
  expect(payout.status).toBe(202)
  await until(async () => (await call('GET', payout.headers.get('location')!)).body.status === 'completed', {
    what: 'the payout to be completed',
  })
  await bank.sql('payments', `update payment_orders set next_due_at = now() where id = '${order.body.id}'`)
  await bank.ping('run-orders')
  const runs = await call('GET', `/api/orders/${order.body.id}/runs`)
  expect(runs.body.items).toMatchObject([{ status: 'paid', amount: '30.00' }])
  expect(await ada.balances()).toEqual({ [from]: '65.00', [to]: '35.00' })
  await until(() => isTold('Your payment order of $30.00'), { what: 'the notification of the order' })
  await until(() => isTold('$5.00 in 1 payment. Refused: 1'), { what: 'the notification of the payout' })
})

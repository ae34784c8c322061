import { startBank, type Bank } from './support/bank.ts'
import { registerCustomer } from './support/customers.ts'
import { until } from './support/until.ts'

let bank: Bank

beforeAll(async () => {
  bank = await startBank()
})

afterAll(() => bank?.stop())

test('a batch passes the front door whole, moves its money once, and each transaction gets a notification', async () => {
  const ada = await registerCustomer(bank)
  const [checking, savings] = [await ada.openAccount('checking'), await ada.openAccount('savings')]
  const deposit = { type: 'deposit', account_id: checking, amount: '900.00' }
  const transfer = { type: 'transfer', account_id: checking, to_account_id: savings, amount: '0.01' }
  const send = (transactions: unknown[]) =>
    bank.call('POST', '/api/transactions/batch', {
      token: ada.token,
      body: { transactions },
      headers: { 'idempotency-key': `batch-of-${transactions.length}` },
    })

  const few = [deposit, transfer, { ...transfer, amount: '900.00' }, transfer]
  const first = await send(few)
  expect([first.status, first.body.results.map(({ status }: { status: number }) => status)]).toEqual([
    200,
    [201, 201, 409, 201],
  ])
  expect((await send(few)).body).toEqual(first.body)
  const notified = async () =>
    (await bank.call('GET', '/api/notifications', { token: ada.token })).body.items as { message: string }[]
  await until(async () => (await notified()).length === 3, { what: 'three notifications' })

  // The body is larger than the 100 kB that other routes take.
  const thousand = await send(Array(1000).fill(transfer))
  expect([thousand.status, thousand.body.results.length]).toEqual([200, 1000])
  expect(await ada.balances()).toEqual({ [checking]: '889.98', [savings]: '10.02' })
})

import { randomUUID } from 'node:crypto'
import { alice, withdrawal } from '../testing/ledger-fixture.ts'
import { until } from '../../../tests/support/until.ts'
import {
  ledger,
  gateway,
  from,
  to,
  later,
  useOrders,
  send,
  show,
  eventOf,
  deliver,
  ping,
  age,
} from '../testing/orders-fixture.ts'

/** Orders that were accepted for an open account, and find it frozen or closed. */
useOrders()

type Action = 'freeze' | 'unfreeze' | 'close'

const change = async (action: Action, account: string): Promise<void> => {
  const [row] = await ledger.db.query<{ refusal: string | null }>({
    text: `select refusal from change_account($1, $2, null, null, $3, 'Asked for by phone')`,
    values: [action, account, alice],
  })
  expect(row!.refusal).toBeNull()
}

const closeEmptied = async (account: string): Promise<void> => {
  const [balance] = await ledger.balances(account)
  if (balance) await ledger.post(withdrawal(account, balance))
  await change('close', account)
}

const rejectionOf = (id: string) =>
  until(
    () =>
      gateway.events.find(
        ({ headers, data }) => headers['ce-type'] === 'transaction.rejected' && data.transaction_id === id,
      ),
    { what: 'transaction.rejected' },
  )

const cases: [string, () => Promise<void>, string][] = [
  ['the payer is frozen', () => change('freeze', from), 'account-frozen'],
  ['the payee is frozen', () => change('freeze', to), 'account-frozen'],
  ['the payer is closed', () => closeEmptied(from), 'account-closed'],
  ['the payee is closed', () => change('close', to), 'account-closed'],
]

describe.each(cases)('if %s before it is posted, an order', (_name, happen, refusal) => {
  test('is rejected by name, and its event says so', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const { id } = (await send('5.00', { ...later, ...key })).body
    const event = await eventOf(id)
    await happen()
    const before = await ledger.balances(from, to)
    const deliveries = await Promise.all(Array.from({ length: 5 }, () => deliver(event)))
    expect(new Set(deliveries.map(({ status }) => status))).toEqual(new Set([204]))

    expect(await show(id)).toMatchObject({ status: 'rejected', balance_after: null })
    expect((await rejectionOf(id)).data).toMatchObject({ transaction_id: id, refusal, amount: '5.00' })
    // Repeated with its key and without the preference, it gets its refusal.
    expect(await send('5.00', key)).toMatchObject({
      status: 409,
      body: { type: `https://microbank.dev/problems/${refusal}` },
    })
    expect(await ledger.balances(from, to)).toEqual(before)
    expect(await ledger.faults()).toEqual([])
  })

  test('whose event is lost is rejected by a sweep', async () => {
    const { id } = (await send('5.00', later)).body
    await age(id, '1 hour')
    await happen()
    await ping()
    expect(await show(id)).toMatchObject({ status: 'rejected' })
    expect((await rejectionOf(id)).data).toMatchObject({ refusal })
  })
})

test('an order stays rejected after its account is unfrozen', async () => {
  const { id } = (await send('5.00', later)).body
  const event = await eventOf(id)
  await change('freeze', from)
  await deliver(event)
  await change('unfreeze', from)
  await deliver(event)
  expect(await show(id)).toMatchObject({ status: 'rejected' })
  expect(await ledger.balances(from, to)).toEqual([900_00n, 0n])
})

test('an order that is posted only after its account was unfrozen is completed', async () => {
  const { id } = (await send('5.00', later)).body
  await change('freeze', from)
  await change('unfreeze', from)
  await deliver(await eventOf(id))
  expect(await show(id)).toMatchObject({ status: 'completed' })
})

test('of many orders on their way, a closing refuses all or none', async () => {
  const orders = await Promise.all(Array.from({ length: 20 }, () => send('1.00', later)))
  const events = await Promise.all(orders.map(({ body }) => eventOf(body.id)))
  const [closed] = await Promise.all([
    ledger.db.query<{ refusal: string | null }>({
      text: `select refusal from change_account('close', $1, null, null, $2, null)`,
      values: [to, alice],
    }),
    ...events.map((event) => deliver(event)),
  ])
  const statuses = await Promise.all(orders.map(async ({ body }) => (await show(body.id)).status as string))
  const { refusal } = closed[0]!
  expect(new Set(statuses)).toEqual(new Set([refusal === null ? 'rejected' : 'completed']))
  expect(await ledger.balances(to)).toEqual([refusal === null ? 0n : 20_00n])
  expect(await ledger.faults()).toEqual([])
})

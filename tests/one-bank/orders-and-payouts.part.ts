import type { Bank } from '../support/bank.ts'
import { registerCustomer, type Customer } from '../support/customers.ts'
import type { Answer } from '../support/host.ts'
import { whileKilling } from '../support/killing.ts'
import { postUntilAnswered } from '../support/persistent.ts'
import { until } from '../support/until.ts'
import type { OneBank } from './one-bank.ts'

/** Payment orders and payouts of a whole bank while its functions are killed. */

const ORDERS = 12
const ITEMS = 40
let bank: Bank
let ada: Customer
let from: string
let to: string

export function ordersAndPayouts(one: () => OneBank): void {
  beforeAll(async () => {
    bank = one().bank
    ada = await registerCustomer(bank)
    from = await ada.openAccount('checking')
    to = await ada.openAccount('savings')
    await ada.bank.post('/api/transactions', {
      body: { type: 'deposit', account_id: from, amount: '100.00' },
    })
  })

  let answered = 0

  async function post(path: string, body: object): Promise<Answer> {
    const answer = await postUntilAnswered(bank, ada.token, path, body)
    answered++
    return answer
  }

  /** Calls a function as its PingSource does. The process that answers may be killed. */
  const tick = (name: string): Promise<void> =>
    bank.ping(name).then(
      () => void answered++,
      () => undefined,
    )

  const openOf = async (text: string): Promise<number> =>
    Number((await bank.sql<{ count: string }>('payments', `select count(*) ${text}`))[0]!.count)

  test('while functions are killed, each run of an order and each item of a payout is paid once', async () => {
    const schedule = { every: 'month', on: 31, time_zone: 'Europe/Berlin' }
    await whileKilling(bank, { answers: () => answered, servers: [] }, async () => {
      for (let i = 0; i < ORDERS; i++) {
        const body = { account_id: from, to_account_id: to, amount: '1.00', schedule }
        expect((await post('/api/orders', body)).status).toBe(201)
      }
      const items = Array.from({ length: ITEMS }, () => ({ to_account_id: to, amount: '1.00' }))
      expect((await post('/api/payments/payout', { account_id: from, items })).status).toBe(202)
      await bank.sql('payments', 'update payment_orders set next_due_at = now()')
      await until(
        async () => {
          // What a killed process has taken is free again after a minute. Here it is at once.
          const free = `update payment_order_runs set next_attempt_at = now() where status = 'pending'`
          await bank.sql('payments', free)
          await bank.sql('payments', `update payouts set claimed_until = now() where status = 'running'`)
          await tick('sweep-payments')
          const runs = await openOf(`from payment_order_runs where status = 'paid'`)
          const open = await openOf(`from payouts where status = 'running'`)
          return runs === ORDERS && open === 0
        },
        { timeoutMs: 240_000, everyMs: 200, what: 'all to be paid' },
      )
    })
    expect(await ada.balances()).toEqual({
      [from]: `${100 - ORDERS - ITEMS}.00`,
      [to]: `${ORDERS + ITEMS}.00`,
    })
    expect(await openOf(`from payout_items where status = 'paid'`)).toBe(ITEMS)
    expect(await bank.sql('ledger', 'select * from verify_ledger()')).toEqual([])
  }, 400_000)
}

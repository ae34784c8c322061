import type { Bank } from '../support/bank.ts'
import { registerCustomer, type Customer } from '../support/customers.ts'
import type { Answer } from '../support/host.ts'
import { whileKilling } from '../support/killing.ts'
import { postUntilAnswered } from '../support/persistent.ts'
import { until } from '../support/until.ts'
import type { OneBank } from './one-bank.ts'

/** Payments of a whole bank while its functions are killed. */

let bank: Bank
let ada: Customer
let from: string
let to: string

export function payments(one: () => OneBank): void {
  beforeAll(async () => {
    bank = one().bank
    ada = await registerCustomer(bank)
    from = await ada.openAccount('checking')
    to = await (await registerCustomer(bank)).openAccount('checking')
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

  const count = async (context: string, text: string): Promise<number> =>
    Number((await bank.sql<{ count: string }>(context, `select count(*) ${text}`))[0]!.count)

  test('while functions are killed, each payment ends once, and nothing stays held', async () => {
    const ends = ['execute', 'cancel', 'execute'] as const
    const wanted: string[] = []
    // By way of the payment provider, which settles all but amounts that end with 02.
    const payee = { payee_name: 'Ada', payee_account: 'DE89370400440532013000' }
    const outside = [
      ['top-ups', '3.00', 'completed'],
      ['top-ups', '3.02', 'failed'],
      ['withdrawals', '2.00', 'completed'],
      ['withdrawals', '2.02', 'failed'],
    ] as const
    await whileKilling(bank, { answers: () => answered, servers: [] }, async () => {
      for (let round = 0; round < 2; round++)
        await Promise.all(
          ends.map(async (end) => {
            const body = { account_id: from, amount: '1.00', payee_account_id: to }
            const { status, body: payment } = await post('/api/payments/create', body)
            expect([status, payment.status]).toEqual([201, 'created'])
            const ended = await post(`/api/payments/${end}`, { payment_id: payment.id })
            wanted.push(end === 'execute' ? 'executed' : 'cancelled')
            expect([ended.status, ended.body.status]).toEqual([200, wanted.at(-1)])
          }),
        )
      const begun = await Promise.all(
        outside.map(async ([kind, amount, end]) => {
          const body = { account_id: from, amount, ...(kind === 'withdrawals' && payee) }
          const { status, body: transfer } = await post(`/api/payments/${kind}`, body)
          expect(status).toBe(201)
          return { path: `/api/payments/${kind}/${transfer.id}`, end }
        }),
      )
      // Questions keep the killing on, until all have ended.
      await until(
        async () => {
          await bank.sql('payments', 'update provider_transfers set next_at = now() where ended_at is null')
          await bank.ping('sweep-payments').catch(() => undefined)
          const seen = await Promise.all(
            begun.map(({ path }) => bank.call('GET', path, { token: ada.token })),
          )
          if (seen.every(({ status }) => status === 200)) answered++
          return seen.every(({ body }, i) => body?.status === begun[i]!.end)
        },
        { timeoutMs: 240_000, everyMs: 300, what: 'the ends of top-ups and withdrawals' },
      )
    })
    const rows = await bank.sql<{ status: string }>(
      'payments',
      `select status from payments where user_id = '${ada.id}'`,
    )
    expect(rows.map(({ status }) => status).sort()).toEqual(wanted.sort())
    const paid = wanted.filter((status) => status === 'executed').length
    expect((await ada.balances())[from]).toBe(`${100 - paid + 3 - 2}.00`)
    expect(await count('ledger', `from holds where status = 'open' and account_id = '${from}'`)).toBe(0)
    expect(await bank.sql('ledger', 'select * from verify_ledger()')).toEqual([])
  }, 400_000)

  test('its events come twice, and the payer hears of each payment once', async () => {
    const executed = await count(
      'payments',
      `from payments where status = 'executed' and user_id = '${ada.id}'`,
    )
    const heard = `from notifications where event_type = 'payment.executed' and user_id = '${ada.id}'`
    await until(async () => (await count('notifications', heard)) === executed, { what: 'notifications' })
    await bank.sql(
      'payments',
      `insert into outbox_pending (event_ids, claimed_until) select array_agg(id), now() from outbox`,
    )
    await bank.ping('sweep-payments')
    await until(async () => (await count('payments', 'from outbox_pending')) === 0, { what: 'the events' })
    // An event after them, which the same consumer takes: then those before it have been taken too.
    const created = await post('/api/payments/create', { account_id: from, amount: 1, payee_account_id: to })
    await post('/api/payments/execute', { payment_id: created.body.id })
    await until(async () => (await count('notifications', heard)) >= executed + 1, { what: 'the last one' })
    expect(await count('notifications', heard)).toBe(executed + 1)
  }, 120_000)
}

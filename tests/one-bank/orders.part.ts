import { randomUUID } from 'node:crypto'
import type { Bank } from '../support/bank.ts'
import { registerCustomer, type Customer } from '../support/customers.ts'
import type { Answer } from '../support/host.ts'
import { whileKilling } from '../support/killing.ts'
import { freeze, signal } from '../support/signal.ts'
import { until } from '../support/until.ts'
import type { OneBank } from './one-bank.ts'

/** Orders (`Prefer: respond-async`) while the Broker hangs and processes die. Each order that was answered
 * with 202 is posted once, and nobody has to intervene. */

const EACH = '1.00'
let bank: Bank
let ada: Customer
let account: string

export function orders(one: () => OneBank): void {
  beforeAll(async () => {
    bank = one().bank
    ada = await registerCustomer(bank)
    account = await ada.openAccount('checking')
    await ada.bank.post('/api/transactions', {
      body: { type: 'deposit', account_id: account, amount: EACH },
    })
  })

  const order = (key: string): Promise<Answer> =>
    bank.call('POST', '/api/transactions', {
      token: ada.token,
      body: { type: 'deposit', account_id: account, amount: EACH },
      headers: { prefer: 'respond-async', 'idempotency-key': key },
    })

  /** How many orders were taken, repeats included. */
  let taken = 0

  /** Repeats an order until its answer is final, as a client does that got no answer or a 503. */
  async function take(key: string): Promise<Answer> {
    const answer = await until(
      async () => {
        const answer = await order(key)
        return answer.status < 500 && answer
      },
      { timeoutMs: 240_000, everyMs: 100, what: `an answer for ${key}` },
    )
    taken++
    return answer
  }

  /** Waits until no order is pending. Then each of these must be posted, and no other. */
  async function checkPosted(ids: readonly string[]): Promise<void> {
    const rows = await until(
      async () => {
        const found = await bank.sql<{ id: string; status: string }>(
          'ledger',
          `select id, status from transactions where account_id = '${account}'`,
        )
        return found.every(({ status }) => status !== 'pending') && found
      },
      // If all else fails, a sweep comes every five minutes.
      { timeoutMs: 480_000, everyMs: 500, what: 'all orders to be settled' },
    )
    expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(['completed']))
    expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining([...ids]))
    const balance = (await ada.balances())[account]
    expect(balance).toBe(`${rows.length}.00`)
    expect(await bank.sql('ledger', 'select * from verify_ledger()')).toEqual([])
  }

  test('while RabbitMQ hangs, orders are taken; when it answers again, they are posted', async () => {
    const pid = bank.rabbitmqPid()
    await freeze([pid])
    let answers: Answer[]
    try {
      answers = await Promise.all(Array.from({ length: 30 }, () => order(randomUUID())))
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 202))
      // The processes that took the orders are killed before anything is published.
      signal(bank.functionPids(), 'SIGKILL')
    } finally {
      // On a slow machine it may have been found frozen and ended by now.
      signal([pid], 'SIGCONT')
    }
    await checkPosted(answers.map(({ body }) => body.id as string))
  }, 600_000)

  test('while functions, RabbitMQ and Postgres are killed, each order is posted once', async () => {
    const ids: string[] = []
    const servers = [
      { afterKills: 2, pid: bank.rabbitmqPid },
      { afterKills: 5, pid: bank.postgresPid },
    ]
    await whileKilling(bank, { answers: () => taken, servers }, async () => {
      for (let round = 0; round < 5; round++) {
        const keys = Array.from({ length: 20 }, () => randomUUID())
        const answers = await Promise.all([...keys, ...keys].map(take))
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
        const given = answers.map(({ body }) => body.id as string)
        expect(given.slice(keys.length)).toEqual(given.slice(0, keys.length))
        ids.push(...given)
      }
    })
    await checkPosted([...new Set(ids)])
  }, 900_000)
}

import { randomUUID } from 'node:crypto'
import { loginOperator, type Bank } from '../support/bank.ts'
import { registerCustomer, type Customer } from '../support/customers.ts'
import type { Answer } from '../support/host.ts'
import { whileKilling } from '../support/killing.ts'
import { until } from '../support/until.ts'
import type { OneBank } from './one-bank.ts'

/** What stays true of frozen and closed accounts while processes die: each change is made once and told once,
 * no money moves from or to a frozen account, and none is left on a closed one. */

const ROUNDS = 4

let bank: Bank
let operator: string
let ada: Customer
let accounts: string[]

export function accountFaults(one: () => OneBank): void {
  let answers = 0

  beforeAll(async () => {
    bank = one().bank
    operator = await loginOperator(bank)
    ada = await registerCustomer(bank)
    accounts = [await ada.openAccount('checking'), await ada.openAccount('savings')]
    for (const id of accounts) await settle(() => ada.transact({ ...money(id), type: 'deposit' }, id))
  })

  const money = (id: string) => ({ account_id: id, amount: '50.00' })

  /** Sends a request until its answer is final, as a client must that got no answer or a 503. */
  async function settle(send: () => Promise<Answer>): Promise<Answer> {
    const answer = await until(
      async () => {
        const given = await send()
        const isFinal = given.status < 500 && !/in-use$/.test(given.body.type ?? '')
        return isFinal && given
      },
      { timeoutMs: 240_000, everyMs: 100, what: 'a final answer' },
    )
    answers++
    return answer
  }

  /** Has an account changed, by two who send the same request with the same key at once. Both must
   * succeed. */
  async function change(account: string, action: 'freeze' | 'unfreeze' | 'close'): Promise<void> {
    const headers = { 'idempotency-key': randomUUID() }
    const body = { reason: 'Asked for by phone' }
    const path = `/api/accounts/${account}/${action}`
    const both = await Promise.all(
      [1, 2].map(() => settle(() => bank.call('POST', path, { token: operator, body, headers }))),
    )
    const status = { freeze: 'frozen', unfreeze: 'open', close: 'closed' }[action]
    for (const answer of both) expect(answer).toMatchObject({ status: 200, body: { id: account, status } })
  }

  async function transfer(from: string, to: string): Promise<Answer> {
    const body = { type: 'transfer', account_id: from, to_account_id: to, amount: '1.00' }
    const key = randomUUID()
    return settle(() => ada.transact(body, key))
  }

  const nameOf = ({ status, body }: Answer): unknown => (status < 400 ? status : body.type.split('/').at(-1))

  test('while function processes and the database are killed, each change is made and told once', async () => {
    const [frozen, other] = accounts as [string, string]
    const outcomes: unknown[] = []
    let isOver = false
    const move = async (from: string, to: string): Promise<void> => {
      while (!isOver) outcomes.push(nameOf(await transfer(from, to)))
    }
    const freezeAgainAndAgain = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS; round++) {
        await change(frozen, 'freeze')
        for (const [from, to] of [accounts, [...accounts].reverse()])
          expect(nameOf(await transfer(from!, to!))).toBe('account-frozen')
        await change(frozen, 'unfreeze')
      }
    }
    await whileKilling(
      bank,
      { answers: () => answers, servers: [{ afterKills: 3, pid: bank.postgresPid }] },
      () =>
        Promise.all([
          freezeAgainAndAgain().finally(() => (isOver = true)),
          move(frozen, other),
          move(other, frozen),
        ]).then(() => undefined),
    )
    for (const name of outcomes) expect([201, 'account-frozen', 'insufficient-funds']).toContain(name)

    for (const [id, balance] of Object.entries(await ada.balances())) {
      if (Number(balance) > 0)
        await settle(() => ada.transact({ ...money(id), type: 'withdrawal', amount: balance }, randomUUID()))
      await change(id, 'close')
    }
    await check({ [frozen]: 2 * ROUNDS + 1, [other]: 1 })
  }, 900_000)

  /** Checks the books, and that each account has so many changes and an event for each. */
  async function check(expected: Record<string, number>): Promise<void> {
    for (const proof of ['sums', 'transactions', 'balances', 'chains', 'holds', 'changes'])
      expect([proof, await bank.sql('ledger', `select * from verify_${proof}()`)]).toEqual([proof, []])
    expect(new Set(Object.values(await ada.balances()))).toEqual(new Set(['0.00']))

    const count = async (text: string): Promise<Record<string, number>> => {
      const rows = await bank.sql<{ id: string; count: string }>('ledger', text)
      return Object.fromEntries(rows.map(({ id, count }) => [id, Number(count)]))
    }
    const ids = accounts.map((id) => `'${id}'`).join()
    const changed = `select account_id as id, count(*) from account_changes where account_id in (${ids}) group by 1`
    expect(await count(changed)).toEqual(expected)
    const told = `select subject as id, count(*) from outbox
      where type in ('account.frozen', 'account.unfrozen', 'account.closed') and subject in (${ids}) group by 1`
    expect(await count(told)).toEqual(expected)
    // A sweep publishes what a killed process left, every five minutes at the latest.
    await until(async () => (await bank.sql('ledger', 'select from outbox_pending')).length === 0, {
      timeoutMs: 400_000,
      everyMs: 250,
      what: 'all events to be published',
    })
  }
}

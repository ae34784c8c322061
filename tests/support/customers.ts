import { randomUUID } from 'node:crypto'
import type { Bank } from './bank.ts'
import type { Answer } from './host.ts'
import { until } from './until.ts'

/** A customer of a running bank, logged in. */
export interface Customer {
  id: string
  email: string
  token: string
  openAccount(type: 'checking' | 'savings', currency?: string): Promise<string>
  transact(body: Record<string, unknown>, idempotencyKey?: string): Promise<Answer>
  /** Resolves with the balances by account id. */
  balances(): Promise<Record<string, string>>
}

/** Registers a new customer and logs them in. */
export async function registerCustomer(bank: Pick<Bank, 'call'>): Promise<Customer> {
  const person = { email: `${randomUUID()}@example.com`, password: 'three blue herons' }
  const registered = await must(bank.call('POST', '/api/auth/register', { body: { name: 'Ada', ...person } }))
  const { access_token: token } = await must(bank.call('POST', '/api/auth/login', { body: person }))
  return {
    id: registered.id,
    email: person.email,
    token,
    openAccount: async (type, currency = 'USD') =>
      (await must(bank.call('POST', '/api/accounts', { token, body: { account_type: type, currency } }))).id,
    transact: (body, idempotencyKey) =>
      bank.call('POST', '/api/transactions', {
        token,
        body,
        ...(idempotencyKey && { headers: { 'idempotency-key': idempotencyKey } }),
      }),
    async balances() {
      const read = () => bank.call('GET', '/api/accounts?limit=200', { token })
      // After a 503 the request is repeated: a function may have been killed while it started, and is started
      // again.
      const answer = await until(async () => read().then((given) => given.status !== 503 && given), {
        what: 'the accounts',
      })
      const { items } = await must(Promise.resolve(answer))
      return Object.fromEntries(
        (items as { id: string; balance: string }[]).map(({ id, balance }) => [id, balance]),
      )
    },
  }
}

async function must(answer: Promise<Answer>): Promise<Answer['body']> {
  const { status, body } = await answer
  if (status >= 300) throw new Error(`expected success, got ${status}: ${JSON.stringify(body)}`)
  return body
}

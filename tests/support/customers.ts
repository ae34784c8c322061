import { randomUUID } from 'node:crypto'
import { createClient, type BankClient } from '../../functions/web/client/index.ts'
import type { Bank } from './bank.ts'
import type { Answer } from './host.ts'

/** A customer of a running bank, logged in. */
export interface Customer {
  id: string
  email: string
  token: string
  /** Their client, which repeats what may succeed later. */
  bank: BankClient
  openAccount(type: 'checking' | 'savings', currency?: string): Promise<string>
  /** Sends a transaction once, whatever comes of it. */
  transact(body: Record<string, unknown>, idempotencyKey?: string): Promise<Answer>
  /** Resolves with the balances by account id. */
  balances(): Promise<Record<string, string>>
}

/** Registers a new customer and logs them in. */
export async function registerCustomer(bank: Pick<Bank, 'call' | 'url'>): Promise<Customer> {
  const person = { email: `${randomUUID()}@example.com`, password: 'three blue herons' }
  let token = ''
  const client = createClient({
    url: '',
    // A test may start its bank anew, on another port.
    fetch: (path, given) => fetch(`${bank.url}${String(path)}`, given),
    totalMs: 90_000,
    onTokens: (tokens) => void (token = tokens?.access_token ?? ''),
  })
  const { id } = await client.post('/api/auth/register', { body: { name: 'Ada', ...person } })
  await client.login(person)
  return {
    id,
    email: person.email,
    token,
    bank: client,
    openAccount: async (account_type, currency = 'USD') =>
      (await client.post('/api/accounts', { body: { account_type, currency } })).id,
    transact: (body, idempotencyKey) =>
      bank.call('POST', '/api/transactions', {
        token,
        body,
        ...(idempotencyKey && { headers: { 'idempotency-key': idempotencyKey } }),
      }),
    async balances() {
      const balances: Record<string, string> = {}
      for await (const { id, balance } of client.list('/api/accounts')) balances[id] = balance
      return balances
    },
  }
}

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { BankClient } from '../../functions/web/client/index.ts'

export interface SmokeOptions {
  /** Time from the transfer until both notifications must be there. */
  timeoutMs: number
  /** Called with each step before it happens. */
  log: (step: string) => void
}

/**
 * Does what a new customer does first, through every part of the bank: three databases, the Broker, a
 * consumer. The customer and the money stay in the bank. Throws if a step's answer is not the expected one.
 */
export async function smoke(bank: BankClient, { timeoutMs, log }: SmokeOptions): Promise<void> {
  const person = { email: `smoke-${randomUUID()}@microbank.example`, password: randomUUID() }
  log(`registering ${person.email}`)
  await bank.post('/api/auth/register', { body: { ...person, name: 'Smoke Test' } })
  log('logging in')
  await bank.login(person)
  log('opening two accounts')
  const { id: checking } = await bank.post('/api/accounts', { body: { account_type: 'checking' } })
  const { id: savings } = await bank.post('/api/accounts', { body: { account_type: 'savings' } })
  log('depositing 100.00, transferring 30.00')
  await bank.post('/api/transactions', { body: { type: 'deposit', account_id: checking, amount: '100.00' } })
  const { balance_after } = await bank.post('/api/transactions', {
    body: { type: 'transfer', account_id: checking, to_account_id: savings, amount: '30.00' },
  })
  if (balance_after !== '70.00') throw new Error(`expected 70.00 after the transfer, got ${balance_after}`)
  log('waiting for two notifications')
  await notifications(bank, timeoutMs)
  log('the bank works')
}

async function notifications(bank: BankClient, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const { items } = await bank.get('/api/notifications')
    if (items.length === 2) return
    if (items.length > 2) throw new Error(`expected two notifications, got ${items.length}`)
    if (performance.now() > deadline)
      throw new Error(`expected two notifications within ${timeoutMs} ms, got ${items.length}`)
    await delay(250)
  }
}

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { must, type BankClient } from '../../functions/web/client.ts'

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
  const email = `smoke-${randomUUID()}@microbank.example`
  const password = randomUUID()
  log(`registering ${email}`)
  await must(bank('/api/auth/register', { body: { email, password, name: 'Smoke Test' } }))
  log('logging in')
  const { access_token: token } = await must(bank('/api/auth/login', { body: { email, password } }))
  log('opening two accounts')
  const open = async (account_type: string): Promise<string> =>
    (await must(bank('/api/accounts', { token, body: { account_type } }))).id as string
  const [checking, savings] = [await open('checking'), await open('savings')]
  const transact = (body: object) =>
    must(bank('/api/transactions', { token, body, idempotencyKey: randomUUID() }))
  log('depositing 100.00, transferring 30.00')
  await transact({ type: 'deposit', account_id: checking, amount: '100.00' })
  const { balance_after } = await transact({
    type: 'transfer',
    account_id: checking,
    to_account_id: savings,
    amount: '30.00',
  })
  if (balance_after !== '70.00') throw new Error(`expected 70.00 after the transfer, got ${balance_after}`)
  log('waiting for two notifications')
  await notifications(bank, token as string, timeoutMs)
  log('the bank works')
}

async function notifications(bank: BankClient, token: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const { items } = await must(bank('/api/notifications', { token }))
    if (items.length === 2) return
    if (items.length > 2) throw new Error(`expected two notifications, got ${items.length}`)
    if (performance.now() > deadline)
      throw new Error(`expected two notifications within ${timeoutMs} ms, got ${items.length}`)
    await delay(250)
  }
}

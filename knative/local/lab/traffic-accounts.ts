import { randomBytes } from 'node:crypto'
import type { BankClient } from '../../../functions/web/client/index.ts'

/** An account, and the client of its owner. */
export interface OwnedAccount {
  id: string
  bank: BankClient
}

/** Registers users, each with a checking and a savings account in US dollars. */
export async function openTrafficAccounts(
  connect: () => BankClient,
  { users, onProgress }: { users: number; onProgress: (line: string) => void },
): Promise<OwnedAccount[]> {
  const opened: OwnedAccount[] = []
  const run = randomBytes(4).toString('hex')
  for (let n = 1; n <= users; n++) {
    onProgress(`registering user ${n} of ${users}`)
    const person = {
      email: `traffic-${run}-${n}@example.com`,
      password: randomBytes(12).toString('base64url'),
    }
    const bank = connect()
    await bank.post('/api/auth/register', { body: { name: `Traffic ${n}`, ...person } })
    await bank.login(person)
    for (const type of ['checking', 'savings'] as const) {
      const { id } = await bank.post('/api/accounts', { body: { account_type: type, currency: 'USD' } })
      opened.push({ id, bank })
    }
  }
  return opened
}

import { randomBytes } from 'node:crypto'
import { BankProblem, createClient, type BankClient } from '../../../functions/web/client/index.ts'
import type { DemoCustomer, SecretStore } from '../secrets.ts'

export interface DemoOptions {
  /** The bank's own address. */
  url: string
  secrets: Pick<SecretStore, 'demoCustomer' | 'keepDemoCustomer'>
}

const NAME = 'Demo Customer'
const DOMAIN = 'microbank.localhost'

/** The tokens that a log-in returns. */
type GotTokens = Awaited<ReturnType<typeof logIn>>

/** Signs the demo customer in as any client would. If there is none yet, or they were deleted or have changed
 * their password, first registers one and gives them accounts and a history. `agent` is the browser of
 * whoever asked. Rejects as calls of the client do. */
export async function signInDemoCustomer({ url, secrets }: DemoOptions, agent: string): Promise<GotTokens> {
  const bank = createClient({ url })
  const [person, tokens] = await enter(bank, secrets, agent)
  if (!person.isComplete) {
    await giveHistory(createClient({ url, token: tokens.access_token }))
    secrets.keepDemoCustomer({ ...person, isComplete: true })
  }
  return tokens
}

async function enter(
  bank: BankClient,
  secrets: DemoOptions['secrets'],
  agent: string,
): Promise<[DemoCustomer, GotTokens]> {
  const known = secrets.demoCustomer
  const tokens = known && (await logIn(bank, known, agent).catch(unless('invalid-credentials')))
  if (tokens) return [known, tokens]
  // After a crash, the stored customer may not be registered yet.
  const person =
    (known && !known.isComplete && (await register(bank, secrets, known.email))) ||
    (await register(bank, secrets, `demo@${DOMAIN}`)) ||
    (await register(bank, secrets, `demo-${randomBytes(4).toString('hex')}@${DOMAIN}`))
  if (!person) throw new Error('the addresses for a demo customer are taken')
  return [person, await logIn(bank, person, agent)]
}

const logIn = (bank: BankClient, { email, password }: DemoCustomer, agent: string) =>
  bank.post('/api/auth/login', { body: { email, password }, headers: { 'user-agent': agent } })

/** Stores a customer with an address and a new password, which is nowhere else, and then registers them.
 * Resolves with undefined if the address is taken. */
async function register(
  bank: BankClient,
  secrets: DemoOptions['secrets'],
  email: string,
): Promise<DemoCustomer | undefined> {
  const person = { email, password: randomBytes(24).toString('base64url'), isComplete: false }
  secrets.keepDemoCustomer(person)
  const body = { name: NAME, email, password: person.password }
  const user = await bank.post('/api/auth/register', { body }).catch(unless('email-taken'))
  return user && person
}

/** Returns a handler that ignores a problem with this code, and throws every other error. */
const unless =
  (code: string) =>
  (error: unknown): undefined => {
    if (!(error instanceof BankProblem) || error.code !== code) throw error
  }

/** Gives whoever is signed in two accounts, money that has moved, and an order. Each step has a key of its
 * own: after a crash the next call repeats the steps, and nothing happens twice. */
async function giveHistory(bank: BankClient): Promise<void> {
  const step = (name: string) => ({ idempotencyKey: `demo-customer-${name}` })
  const open = (account_type: 'checking' | 'savings', name: string) =>
    bank.post('/api/accounts', { body: { account_type, name }, ...step(account_type) })
  const [everyday, savings] = [await open('checking', 'Everyday'), await open('savings', 'Rainy days')]
  const here = { account_id: everyday.id }
  await bank.post('/api/transactions/batch', {
    body: {
      atomic: true,
      transactions: [
        { type: 'deposit', ...here, amount: '2400.00', description: 'Salary' },
        { type: 'withdrawal', ...here, amount: '80.00', description: 'Cash for the weekend' },
        { type: 'transfer', ...here, to_account_id: savings.id, amount: '400.00', description: 'Rainy days' },
        { type: 'deposit', ...here, amount: '35.50', description: 'Train ticket, paid back' },
        { type: 'withdrawal', ...here, amount: '12.75', description: 'Cash for lunch' },
        {
          ...{ type: 'transfer', account_id: savings.id, to_account_id: everyday.id },
          ...{ amount: '65.00', description: 'Bicycle repair' },
        },
      ],
    },
    ...step('history'),
  })
  await bank.post('/api/orders', {
    body: {
      ...{ ...here, to_account_id: savings.id, amount: '100.00', description: 'Savings plan' },
      schedule: { every: 'month', on: 1 },
    },
    ...step('order'),
  })
}

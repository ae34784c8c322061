import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { must, type BankClient, type BankAnswer } from '../../functions/web/client.ts'

export interface TrafficOptions {
  count: number
  /** Transactions per second. */
  rate: number
  users: number
  concurrency: number
  signal: AbortSignal
  onProgress: (line: string) => void
}

export interface TrafficReport {
  rows: { name: string; requests: number; errors: number; p50: number; p99: number }[]
  /** Sums of money in US dollars, as decimal strings. */
  expected: string
  actual: string
  sumIsRight: boolean
}

interface Account {
  id: string
  token: string
}

type Kind = 'deposit' | 'withdrawal' | 'transfer'

interface Tally {
  latenciesMs: number[]
  errors: number
}

/** Runs traffic until `count` transactions or the signal. Then compares the sum of the balances with what
 * acknowledged transactions paid in and out. */
export async function runTraffic(bank: BankClient, options: TrafficOptions): Promise<TrafficReport> {
  const tallies: Record<Kind, Tally> = {
    deposit: { latenciesMs: [], errors: 0 },
    withdrawal: { latenciesMs: [], errors: 0 },
    transfer: { latenciesMs: [], errors: 0 },
  }
  const users = await openAccounts(bank, options)
  const accounts = users.flatMap((user) => user.accounts)
  let cents = 0n
  for (const account of accounts) cents += await settle(bank, 'deposit', account, undefined, 100_000, tallies)

  // Each worker listens while it pauses; Node warns above ten listeners.
  setMaxListeners(options.concurrency, options.signal)
  let started = 0
  const beganAt = performance.now()
  const worker = async (): Promise<void> => {
    while (started < options.count && !options.signal.aborted) {
      const dueMs = (started++ / options.rate) * 1000 - (performance.now() - beganAt)
      if (dueMs > 0) await pause(dueMs, options.signal)
      const from = pick(accounts)
      const others = accounts.filter((account) => account !== from)
      const kind = pick(['deposit', 'withdrawal', 'transfer', 'transfer'] as const)
      const paidIn = await settle(bank, kind, from, pick(others), randomInt(1, 5_000), tallies)
      // Not one line with the await: `cents` would be read before the await, and what other workers add
      // meanwhile would be lost.
      cents += paidIn
      const seconds = (performance.now() - beganAt) / 1000
      options.onProgress(
        `${started} transactions, ${(started / seconds).toFixed(0)} a second, ${errorsOf(tallies)} errors`,
      )
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, worker))

  const actual = await sumOfBalances(bank, users)
  return {
    rows: Object.entries(tallies).map(([name, { latenciesMs, errors }]) => ({
      name,
      requests: latenciesMs.length,
      errors,
      p50: percentile(latenciesMs, 0.5),
      p99: percentile(latenciesMs, 0.99),
    })),
    expected: toDecimal(cents),
    actual: toDecimal(actual),
    sumIsRight: actual === cents,
  }
}

async function openAccounts(bank: BankClient, { users, onProgress }: TrafficOptions) {
  const opened: { token: string; accounts: Account[] }[] = []
  const run = randomBytes(4).toString('hex')
  for (let n = 1; n <= users; n++) {
    onProgress(`registering user ${n} of ${users}`)
    const person = {
      email: `traffic-${run}-${n}@example.com`,
      password: randomBytes(12).toString('base64url'),
    }
    await must(bank('/api/auth/register', { body: { name: `Traffic ${n}`, ...person } }))
    const { access_token: token } = await must(bank('/api/auth/login', { body: person }))
    const accounts: Account[] = []
    for (const type of ['checking', 'savings']) {
      const { id } = await must(
        bank('/api/accounts', { token, body: { account_type: type, currency: 'USD' } }),
      )
      accounts.push({ id, token })
    }
    opened.push({ token, accounts })
  }
  return opened
}

/** Sends one transaction until its outcome is known: if an answer leaves it open (5xx or no answer), it
 * repeats the request with the same key. Returns the cents that came into the bank; negative if they went
 * out. */
async function settle(
  bank: BankClient,
  kind: Kind,
  from: Account,
  to: Account | undefined,
  amountCents: number,
  tallies: Record<Kind, Tally>,
): Promise<bigint> {
  const idempotencyKey = randomUUID()
  const amount = toDecimal(BigInt(amountCents))
  const body = {
    type: kind,
    account_id: from.id,
    amount,
    ...(kind === 'transfer' && { to_account_id: to?.id }),
  }
  for (let attempt = 1; attempt <= 20; attempt++) {
    const sentAt = performance.now()
    const answer: BankAnswer = await bank('/api/transactions', {
      token: from.token,
      body,
      idempotencyKey,
    }).catch(() => ({ status: 599, body: undefined }))
    tallies[kind].latenciesMs.push(performance.now() - sentAt)
    if (answer.status === 201)
      return kind === 'transfer' ? 0n : BigInt(kind === 'deposit' ? amountCents : -amountCents)
    // Insufficient funds are a correct refusal, not an error.
    if (answer.status === 409 && /insufficient-funds$/.test(answer.body?.type ?? '')) return 0n
    tallies[kind].errors++
    if (answer.status < 500 && answer.status !== 409 && answer.status !== 429) return 0n
    await pause(200)
  }
  throw new Error(`a ${kind} was not answered in 20 attempts; key ${idempotencyKey}`)
}

async function sumOfBalances(bank: BankClient, users: { token: string }[]): Promise<bigint> {
  let sum = 0n
  for (const { token } of users) {
    const { items } = await must(bank('/api/accounts', { token }))
    for (const { balance } of items as { balance: string }[]) sum += BigInt(balance.replace('.', ''))
  }
  return sum
}

const pick = <T>(from: readonly T[]): T => from[randomInt(from.length)]!

/** Ends early when the signal comes. */
const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  sleep(ms, undefined, signal && { signal }).catch(() => {})

const toDecimal = (cents: bigint): string => {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0')
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

const errorsOf = (tallies: Record<Kind, Tally>): number =>
  Object.values(tallies).reduce((sum, { errors }) => sum + errors, 0)

function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { BankProblem, NoAnswerError, type BankClient } from '../../functions/web/client/index.ts'

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

/** An account, and the client of its owner. */
interface OwnedAccount {
  id: string
  bank: BankClient
}

type Kind = 'deposit' | 'withdrawal' | 'transfer'

interface Tally {
  latenciesMs: number[]
  errors: number
}

/** Runs traffic until `count` transactions or the signal. Then compares the sum of the balances with what
 * acknowledged transactions paid in and out. `connect` makes a client for each user. */
export async function runTraffic(connect: () => BankClient, options: TrafficOptions): Promise<TrafficReport> {
  const tallies: Record<Kind, Tally> = {
    deposit: { latenciesMs: [], errors: 0 },
    withdrawal: { latenciesMs: [], errors: 0 },
    transfer: { latenciesMs: [], errors: 0 },
  }
  const accounts = await openAccounts(connect, options)
  let cents = 0n
  for (const account of accounts) cents += await settle('deposit', account, account, 100_000, tallies)

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
      const paidIn = await settle(kind, from, pick(others), randomInt(1, 5_000), tallies)
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

  const actual = await sumOfBalances(accounts)
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

async function openAccounts(connect: () => BankClient, { users, onProgress }: TrafficOptions) {
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

/** Sends one transaction until its outcome is known. The client repeats what may succeed by itself; what is
 * still open then (5xx or no answer) is called again with the same key. Returns the cents that came into the
 * bank; negative if they went out. */
async function settle(
  kind: Kind,
  { id, bank }: OwnedAccount,
  to: OwnedAccount,
  amountCents: number,
  tallies: Record<Kind, Tally>,
): Promise<bigint> {
  const idempotencyKey = randomUUID()
  const money = { account_id: id, amount: toDecimal(BigInt(amountCents)) }
  const body = kind === 'transfer' ? { type: kind, ...money, to_account_id: to.id } : { type: kind, ...money }
  for (let calls = 1; calls <= 20; calls++) {
    const sentAt = performance.now()
    try {
      const { attempts } = await bank.request('POST /api/transactions', { body, idempotencyKey })
      tallies[kind].errors += attempts - 1
      return kind === 'transfer' ? 0n : BigInt(kind === 'deposit' ? amountCents : -amountCents)
    } catch (error) {
      if (!(error instanceof BankProblem || error instanceof NoAnswerError)) throw error
      const isRefusal = error instanceof BankProblem && !error.isOutcomeUnknown
      // Insufficient funds are a correct refusal, not an error.
      if (isRefusal && error.is('insufficient-funds')) return 0n
      tallies[kind].errors += error.attempts
      if (isRefusal && error.status < 500 && error.status !== 409 && error.status !== 429) return 0n
    } finally {
      tallies[kind].latenciesMs.push(performance.now() - sentAt)
    }
    await pause(200)
  }
  throw new Error(`a ${kind} was not answered in 20 calls; key ${idempotencyKey}`)
}

async function sumOfBalances(accounts: OwnedAccount[]): Promise<bigint> {
  let sum = 0n
  for (const bank of new Set(accounts.map((account) => account.bank)))
    for await (const { balance } of bank.list('/api/accounts')) sum += BigInt(balance.replace('.', ''))
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

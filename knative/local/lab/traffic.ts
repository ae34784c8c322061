import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { BankProblem, NoAnswerError, type BankClient } from '../../../functions/web/client/index.ts'
import { openTrafficAccounts, type OwnedAccount } from './traffic-accounts.ts'

export interface TrafficOptions {
  count: number
  /** Transactions per second. */
  rate: number
  users: number
  concurrency: number
  /** Ends the traffic: nothing new is sent, and what is under way is sent until its outcome is known. */
  signal: AbortSignal
  onProgress: (line: string) => void
  /** Returns numbers from 0 up to 1, which decide what moves between whom. */
  random?: () => number
  /** Share of the answered transactions that are sent once more with their key; 0 by default. */
  repeatShare?: number
  /** Called before a transaction is sent for the first time. */
  onAsked?: () => void
  onOutcome?: (outcome: TransactionOutcome) => void
  /** Called once the accounts are there, before the first money moves. */
  onAccounts?: (accounts: readonly OwnedAccount[]) => void
  /** Gives up: rejects all that is under way. */
  abandon?: AbortSignal
  /** Calls for one transaction until it is given up; each makes several attempts. */
  callsMax?: number
}

/** What became of one transaction. */
export type TransactionOutcome =
  /** `repeats` is how often it was sent again. */
  | { kind: 'moved'; id: string; changes: readonly AccountChange[]; repeats: number }
  | { kind: 'refused'; code: string; repeats: number }
  /** The same key had another answer than before. */
  | { kind: 'contradicted'; key: string; first: string; then: string }

/** What an answered transaction has done to one account. */
export interface AccountChange {
  account: string
  /** Negative if money went out. */
  cents: bigint
}

export interface TrafficReport {
  rows: { name: string; requests: number; errors: number; p50: number; p99: number }[]
  /** Sums of money in US dollars, as decimal strings. */
  expected: string
  actual: string
  sumIsRight: boolean
}

type Kind = 'deposit' | 'withdrawal' | 'transfer'

interface Tally {
  latenciesMs: number[]
  errors: number
}

interface Settling {
  tallies: Record<Kind, Tally>
  callsMax: number
  onAsked: TrafficOptions['onAsked'] | undefined
  onOutcome: TrafficOptions['onOutcome'] | undefined
  abandon: AbortSignal | undefined
}

/** Runs traffic until `count` transactions or the signal. Then compares the sum of the balances with what
 * acknowledged transactions paid in and out. `connect` makes a client for each user. */
export async function runTraffic(connect: () => BankClient, options: TrafficOptions): Promise<TrafficReport> {
  const { random = Math.random, repeatShare = 0, onAsked, onOutcome, abandon, callsMax = 20 } = options
  const tallies: Record<Kind, Tally> = {
    deposit: { latenciesMs: [], errors: 0 },
    withdrawal: { latenciesMs: [], errors: 0 },
    transfer: { latenciesMs: [], errors: 0 },
  }
  const settling: Settling = { onAsked, onOutcome, abandon, callsMax, tallies }
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const accounts = await openTrafficAccounts(connect, options)
  options.onAccounts?.(accounts)
  let cents = 0n
  for (const account of accounts)
    cents += await settle({ kind: 'deposit', from: account, cents: 100_000, isRepeated: false }, settling)

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
      const wanted = { kind, from, to: pick(others), cents: 1 + Math.floor(random() * 4_999) }
      const paidIn = await settle({ ...wanted, isRepeated: random() < repeatShare }, settling)
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

interface WantedTransaction {
  kind: Kind
  from: OwnedAccount
  to?: OwnedAccount
  cents: number
  /** Whether it is sent once more after its answer. */
  isRepeated: boolean
}

/** Sends one transaction until its outcome is known. The client repeats what may succeed by itself; what is
 * still open then (5xx or no answer) is called again with the same key. Returns the cents that came into the
 * bank; negative if they went out. */
async function settle(wanted: WantedTransaction, settling: Settling): Promise<bigint> {
  const { tallies, abandon, callsMax, onAsked, onOutcome } = settling
  const { kind, from, to, cents, isRepeated } = wanted
  const idempotencyKey = randomUUID()
  const money = { account_id: from.id, amount: toDecimal(BigInt(cents)) }
  const body =
    kind === 'transfer' ? { type: kind, ...money, to_account_id: to!.id } : { type: kind, ...money }
  const send = () =>
    from.bank.request('POST /api/transactions', {
      ...{ body, idempotencyKey },
      ...(abandon && { signal: abandon }),
    })
  onAsked?.()
  let repeats = 0
  let moved: { id: string; changes: AccountChange[] } | undefined
  for (let calls = 1; calls <= callsMax; calls++) {
    const sentAt = performance.now()
    try {
      const { attempts, body: answer } = await send()
      tallies[kind].errors += attempts - 1
      repeats += attempts - 1
      if (moved && moved.id !== answer.id)
        onOutcome?.({ kind: 'contradicted', key: idempotencyKey, first: moved.id, then: answer.id })
      moved ??= { id: answer.id, changes: changesOf(wanted, answer.fee) }
      if (isRepeated && calls === 1) {
        repeats++
        continue
      }
      onOutcome?.({ kind: 'moved', ...moved, repeats })
      return paidInBy(moved.changes)
    } catch (error) {
      if (!(error instanceof BankProblem || error instanceof NoAnswerError)) throw error
      repeats += error.attempts
      const refusal = refusalOf(error)
      if (refusal !== 'insufficient-funds') tallies[kind].errors += error.attempts
      if (refusal !== undefined) {
        if (moved) onOutcome?.({ kind: 'contradicted', key: idempotencyKey, first: moved.id, then: refusal })
        else onOutcome?.({ kind: 'refused', code: refusal, repeats: repeats - 1 })
        return paidInBy(moved?.changes ?? [])
      }
    } finally {
      tallies[kind].latenciesMs.push(performance.now() - sentAt)
    }
    await pause(200, abandon)
  }
  throw new Error(`a ${kind} was not answered in ${callsMax} calls; key ${idempotencyKey}`)
}

/** Returns the name of a refusal; undefined if the same call may have another outcome, or has had one. */
function refusalOf(error: BankProblem | NoAnswerError): string | undefined {
  if (!(error instanceof BankProblem) || error.isOutcomeUnknown) return undefined
  // Insufficient funds are a correct refusal, not an error.
  if (error.is('insufficient-funds')) return error.code
  return error.status < 500 && error.status !== 409 && error.status !== 429 ? error.code : undefined
}

/** Returns what a transaction has done to accounts according to its answer. Whoever asked pays the fee. */
function changesOf({ kind, from, to, cents }: WantedTransaction, fee: string | null | undefined) {
  const paid = BigInt((fee ?? '0').replace('.', ''))
  const moved = BigInt(kind === 'deposit' ? cents : -cents)
  const changes: AccountChange[] = [{ account: from.id, cents: moved - paid }]
  if (kind === 'transfer') changes.push({ account: to!.id, cents: BigInt(cents) })
  return changes
}

const paidInBy = (changes: readonly AccountChange[]): bigint =>
  changes.reduce((sum, { cents }) => sum + cents, 0n)

async function sumOfBalances(accounts: readonly OwnedAccount[]): Promise<bigint> {
  let sum = 0n
  for (const bank of new Set(accounts.map((account) => account.bank)))
    for await (const { balance } of bank.list('/api/accounts')) sum += BigInt(balance.replace('.', ''))
  return sum
}

/** Ends early when the signal comes. */
const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  sleep(ms, undefined, signal && { signal }).catch(() => {})

export const toDecimal = (cents: bigint): string => {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0')
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

const errorsOf = (tallies: Record<Kind, Tally>): number =>
  Object.values(tallies).reduce((sum, { errors }) => sum + errors, 0)

function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

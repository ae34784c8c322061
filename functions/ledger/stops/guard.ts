import type { Tools } from '../../host/tools.ts'
import type { PostingRequest } from '../posting/posting-request.ts'

/** Checks the accounts of this process's postings, off the way of requests. */
export interface Guard {
  /** Notes the accounts of postings that are committed. */
  note(requests: readonly Pick<PostingRequest, 'account_id' | 'to_account_id' | 'currency'>[]): void
}

/** A stop that the guard has made. */
export interface NewStop {
  id: string
  currency: string
  reason: string
}

// The check runs this many milliseconds or transactions after the first that it is for.
const WAIT_MS = 10_000
const TRANSACTIONS_MAX = 1_000
/** Accounts above this number are left to sweep-ledger, as all are if the process dies. */
const ACCOUNTS_MAX = 20_000

/** Creates a guard. If the books are wrong, it stops the currency; ledger.broken is then in the outbox. */
export function createGuard({ db, log }: Pick<Tools, 'db' | 'log'>, waitMs = WAIT_MS): Guard {
  const accounts = new Set<string>()
  const currencies = new Set<string>()
  let transactions = 0
  let timer: NodeJS.Timeout | undefined
  let isChecking = false

  const check = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    if (isChecking) return
    isChecking = true
    const values = [[...accounts], [...currencies]]
    transactions = 0
    accounts.clear()
    currencies.clear()
    try {
      const name = 'guard-accounts'
      const text = 'select id, currency, reason from guard_accounts($1, $2)'
      sayStopped(log, await db.query<NewStop>({ name, text, values }))
    } catch (error) {
      log.warn('accounts were not checked; sweep-ledger checks them', { error: (error as Error).message })
    }
    isChecking = false
    if (accounts.size > 0) wait()
  }

  const wait = (): void => {
    if (transactions >= TRANSACTIONS_MAX) void check()
    else timer ??= setTimeout(() => void check(), waitMs).unref()
  }

  return {
    note(requests) {
      transactions += requests.length
      for (const { account_id: from, to_account_id: to, currency } of requests) {
        if (accounts.size >= ACCOUNTS_MAX) break
        accounts.add(from)
        if (to) accounts.add(to)
        else currencies.add(currency)
      }
      wait()
    },
  }
}

/** Tells an operator of stops that the guard has made. */
export function sayStopped(log: Pick<Tools['log'], 'error'>, stops: readonly NewStop[]): void {
  for (const { id, currency, reason } of stops)
    log.error('the ledger has stopped: nothing is posted in this currency', { stop: id, currency, reason })
}

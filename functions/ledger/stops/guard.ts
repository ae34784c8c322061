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

// An account costs a check as much as two or three of its entries. So the check waits for all that a few
// seconds bring, however much that is: at a thousand transfers a second this halves its cost.
const WAIT_MS = 10_000
/** With this many accounts it does not wait any longer. */
const ACCOUNTS_MAX = 20_000
/** Accounts in one statement, so that none takes long. */
const CHUNK = 1_000

/** Creates a guard. It checks accounts ten seconds after it has noted the first. If the books are wrong, it
 * stops the currency; ledger.broken is then in the outbox. What it could not check, or had no time to check
 * before the process ended, sweep-ledger checks. */
export function createGuard({ db, log }: Pick<Tools, 'db' | 'log'>, waitMs = WAIT_MS): Guard {
  const accounts = new Set<string>()
  const currencies = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let isChecking = false

  const check = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    isChecking = true
    const ids = [...accounts]
    const cash = [...currencies]
    accounts.clear()
    currencies.clear()
    try {
      for (let from = 0; from < ids.length; from += CHUNK)
        sayStopped(log, await guardAccounts(db, ids.slice(from, from + CHUNK), from === 0 ? cash : []))
    } catch (error) {
      log.warn('accounts were not checked; sweep-ledger checks them', { error: (error as Error).message })
    }
    isChecking = false
    if (accounts.size > 0) wait()
  }

  const wait = (): void => {
    if (isChecking) return
    if (accounts.size >= ACCOUNTS_MAX) void check()
    else timer ??= setTimeout(() => void check(), waitMs).unref()
  }

  return {
    note(requests) {
      for (const { account_id: from, to_account_id: to, currency } of requests) {
        if (accounts.size >= 2 * ACCOUNTS_MAX) break
        accounts.add(from)
        if (to) accounts.add(to)
        else currencies.add(currency)
      }
      wait()
    },
  }
}

const guardAccounts = (db: Tools['db'], ids: string[], currencies: string[]) =>
  db.query<NewStop>({
    name: 'guard-accounts',
    text: 'select id, currency, reason from guard_accounts($1, $2)',
    values: [ids, currencies],
  })

/** Tells an operator of stops that the guard has made. */
export function sayStopped(log: Pick<Tools['log'], 'error'>, stops: readonly NewStop[]): void {
  for (const { id, currency, reason } of stops)
    log.error('the ledger has stopped: nothing is posted in this currency', { stop: id, currency, reason })
}

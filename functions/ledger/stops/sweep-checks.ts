import type { Transaction } from '../../host/database/database.ts'
import type { Tools } from '../../host/tools.ts'
import { sayStopped, type NewStop } from './guard.ts'

/** The SQL functions that check the books in steps. */
export const steps = {
  /** Accounts that have changed since they were last checked. */
  changes: `step_through_accounts('changes')`,
  /** All entries of all accounts. */
  everything: `step_through_accounts('everything')`,
  /** Completed transactions since those that were last checked. */
  transactions: 'step_through_transactions()',
  /** Sums, limits and holds, in one step. */
  totals: 'check_totals()',
  /** All transactions, in one step: their number, and reversals. */
  counts: 'check_transactions()',
} as const

export interface CheckStep {
  /** Null if another process is at the same step. */
  has_ended: boolean | null
  stops: NewStop[]
}

/** Does one step of a check. */
export async function takeStep(tx: Transaction, step: keyof typeof steps): Promise<CheckStep> {
  const [row] = await tx.query<CheckStep>({
    text: `select has_ended, to_json(stops) as stops from ${steps[step]}`,
  })
  return row!
}

// Milliseconds. Together with what else a sweep does, less than the function's `timeoutSeconds`. The next
// sweep goes on where a check was interrupted.
const TIME_MAX_MS = { changes: 5_000, transactions: 2_000, totals: 0 }

/** Checks what has changed in the books, whoever changed it: accounts that a process had no time to check
 * after its postings, and rows that were changed by hand. Stops currencies whose books are wrong. */
export async function sweepChecks({ db, log }: Pick<Tools, 'db' | 'log'>): Promise<void> {
  for (const step of ['changes', 'transactions', 'totals'] as const) {
    const endsAt = performance.now() + TIME_MAX_MS[step]
    let hasEnded: boolean | null
    do {
      const { has_ended, stops } = await takeStep(db, step)
      sayStopped(log, stops)
      hasEnded = has_ended
    } while (hasEnded === false && performance.now() < endsAt)
  }
}

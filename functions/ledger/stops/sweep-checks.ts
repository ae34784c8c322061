import type { Transaction } from '../../host/database/database.ts'
import type { Tools } from '../../host/tools.ts'
import { sayStopped, type NewStop } from './guard.ts'

/** The SQL functions that check the books in steps. */
export const steps = {
  /** Accounts that have changed since they were last checked. */
  balances: `step_through_accounts('balances')`,
  /** Transactions since those that were last checked: their entries, and reversals. */
  transactions: `step_through_transactions('transactions')`,
  /** Sums, limits and holds, in one step. */
  totals: 'check_totals()',
  /** All entries of all accounts. This and what follows is done in the night; see walk_due(). */
  chains: `step_through_accounts('chains')`,
  hold_chains: 'step_through_hold_entries()',
  hold_entries: 'step_through_holds()',
  changes: 'step_through_changes()',
  outflows: 'step_through_outflows()',
  /** The leaves of the seals. */
  seals: 'step_through_seals()',
  /** The number of all entries, and reversals. */
  counts: 'count_transactions()',
  /** Transactions from the first one on, if the number is wrong. */
  all_transactions: `step_through_transactions('all_transactions')`,
} as const

export type Step = keyof typeof steps

export interface CheckStep {
  /** Null if another process is at the same step. */
  has_ended: boolean | null
  stops: NewStop[]
}

/** Does one step of a check. */
export async function takeStep(tx: Transaction, step: Step): Promise<CheckStep> {
  const [row] = await tx.query<CheckStep>({
    text: `select has_ended, to_json(stops) as stops from ${steps[step]}`,
  })
  return row!
}

/** Each check's part of the time. The totals are one step. */
const PARTS = { balances: 0.7, transactions: 0.3, totals: 0 }

/** Checks what has changed in the books, whoever changed it: accounts that a process had no time to check
 * after its postings, and rows that were changed by hand. Stops currencies whose books are wrong. Takes some
 * `timeMaxMs`; the next sweep goes on where a check was interrupted. A check that fails does not keep the
 * others from their part; then this rejects in the end. */
export async function sweepChecks({ db, log }: Pick<Tools, 'db' | 'log'>, timeMaxMs = 6_000): Promise<void> {
  const errors: unknown[] = []
  for (const step of ['balances', 'transactions', 'totals'] as const)
    try {
      await sweepCheck(step, { db, log }, timeMaxMs * PARTS[step])
    } catch (error) {
      log.error('a check of the books has failed', { check: step, error: (error as Error).message })
      errors.push(error)
    }
  if (errors.length > 0) throw errors[0]
}

async function sweepCheck(
  step: Step,
  { db, log }: Pick<Tools, 'db' | 'log'>,
  timeMaxMs: number,
): Promise<void> {
  const endsAt = performance.now() + timeMaxMs
  let hasEnded: boolean | null
  do {
    const { has_ended, stops } = await takeStep(db, step)
    sayStopped(log, stops)
    hasEnded = has_ended
  } while (hasEnded === false && performance.now() < endsAt)
}

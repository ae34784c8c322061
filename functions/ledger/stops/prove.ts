import type { Tools } from '../../host/tools.ts'
import { sayStopped } from './guard.ts'
import { takeStep, type Step } from './sweep-checks.ts'

/** The checks of all books, the quick ones first. */
const checks: readonly Step[] = [
  ...(['balances', 'transactions', 'totals', 'chains', 'hold_chains', 'hold_entries'] as const),
  ...(['changes', 'outflows', 'seals', 'counts'] as const),
]

/** Runs the checks that have not come to their end since `since`, for some `timeMaxMs`. Resolves with whether
 * all have. If not, the next call goes on where this one, the sweep or the night's check has ended. */
export async function proveSince(
  { db, log }: Pick<Tools, 'db' | 'log'>,
  since: Date,
  timeMaxMs: number,
): Promise<boolean> {
  const endsAt = performance.now() + timeMaxMs
  const rows = await db.query<{ name: string }>({
    text: 'select name from ledger_checks where checked_at >= $1',
    values: [since],
  })
  const ended = new Set(rows.map(({ name }) => name))
  for (const step of checks) {
    // The totals store three checks at once; all others store the one of their name.
    if (ended.has(step === 'totals' ? 'sums' : step)) continue
    let hasEnded: boolean | null = false
    while (hasEnded === false) {
      if (performance.now() > endsAt) return false
      const found = await takeStep(db, step)
      sayStopped(log, found.stops)
      hasEnded = found.has_ended
    }
    // Another process is at it.
    if (hasEnded === null) return false
  }
  return true
}

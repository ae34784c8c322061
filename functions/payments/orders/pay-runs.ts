import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Database } from '../../host/database/database.ts'
import type { Tools } from '../../host/tools.ts'
import { formatAmount } from '../../host/values/money.ts'
import { KEY_DAYS_MAX, OUTCOME_UNKNOWN, transferFor, type TransferOutcome } from '../calls/transfer-for.ts'
import type { ClaimedRun } from './run.ts'
import { settleRun } from './settle-run.ts'

const RUNS_AT_ONCE = 10

export interface PaidRuns {
  /** How many were called for; zero if none is due. */
  called: number
  /** How many have no outcome yet. They are tried again in a minute. */
  unknown: number
  /** How many of those, because the ledger did not answer. */
  unanswered: number
}

/** Pays the next runs that are due: takes some, calls the ledger for each, and stores the outcomes.
 *
 * A process may die after any line. A run whose outcome is not stored is taken again a minute later, and the
 * ledger is called with the same key, so the money moves once. The same holds if two processes call for one
 * run: the second to store its outcome finds that there is one. */
export async function payRuns(tools: Tools, traceparent: string): Promise<PaidRuns> {
  const runs = await claimRuns(tools.db)
  const settled = await Promise.allSettled(runs.map((run) => payOne(run, tools, traceparent)))
  const outcomes = settled.map((each) => {
    if (each.status === 'rejected') throw each.reason
    return each.value
  })
  const unknown = outcomes.filter(({ outcome }) => outcome === 'unknown')
  const unanswered = unknown.filter((outcome) => !('isForNow' in outcome))
  return { called: runs.length, unknown: unknown.length, unanswered: unanswered.length }
}

/** Takes runs for a minute. A run waits for earlier ones of its order, so that what was missed is paid in
 * order; but not for those that were refused and will be tried again. */
const claimRuns = (db: Database): Promise<ClaimedRun[]> =>
  db.query<ClaimedRun>({
    name: 'order-runs-claim',
    text: `with due as (
        select r.id from payment_order_runs r
        where r.status = 'pending' and r.next_attempt_at <= now()
          and not exists (
            select from payment_order_runs earlier
            where earlier.order_id = r.order_id and earlier.status = 'pending' and earlier.due_at < r.due_at
              and earlier.attempt = 1
          )
        order by r.next_attempt_at, r.due_at limit ${RUNS_AT_ONCE} for update of r skip locked
      )
      update payment_order_runs r
      set called_at = coalesce(called_at, now()), next_attempt_at = now() + interval '1 minute'
      from due, payment_orders o
      where r.id = due.id and o.id = r.order_id
      returning r.*, o.user_id, r.called_at < now() - interval '${KEY_DAYS_MAX} days' as is_too_old`,
  })

/** Ends claims that end further ahead than a claim lasts: the clock was set back since, and the runs would
 * wait until it has caught up. A run that only waits for its next attempt has no `called_at`. */
export async function endClaimsAhead(db: Database): Promise<void> {
  await db.query({
    name: 'order-runs-claims-ahead',
    text: `update payment_order_runs set next_attempt_at = now()
      where status = 'pending' and called_at is not null and next_attempt_at > now() + interval '2 minutes'`,
  })
}

/** Pays a run and stores the outcome. If that fails for a reason of the run's own, it is left for a minute,
 * and keeps no other from being paid. Rejects with UnavailableError if the database is away. */
async function payOne(run: ClaimedRun, tools: Tools, traceparent: string): Promise<TransferOutcome> {
  try {
    const outcome = await pay(run, tools, traceparent)
    await settleRun(run, outcome, tools, traceparent)
    return outcome
  } catch (error) {
    if (error instanceof UnavailableError) throw error
    const { message } = error as Error
    tools.log.error('a run of an order failed', { order_id: run.order_id, error: message })
    return { outcome: 'unknown', reason: message, isForNow: true }
  }
}

/** Nobody knows the outcome of a call that was made long ago, and to repeat it could move the money twice. */
async function pay(run: ClaimedRun, tools: Tools, traceparent: string): Promise<TransferOutcome> {
  if (run.is_too_old) return { outcome: 'refused', problem: OUTCOME_UNKNOWN }
  return transferFor(
    tools,
    {
      userId: run.user_id,
      key: `order-run:${run.id}:${run.attempt}`,
      body: {
        account_id: run.account_id,
        to_account_id: run.to_account_id,
        amount: formatAmount(run.amount, run.currency),
        currency: run.currency,
        ...(run.description !== null && { description: run.description }),
        metadata: { payment_order: run.order_id, payment_order_run: run.id },
      },
    },
    traceparent,
  )
}

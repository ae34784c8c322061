import type { Transaction } from '../../host/database/database.ts'

/** A circuit breaker that all processes share, because most of them live for a few requests only: while the
 * store rests, nobody waits for it. */

/** The first rest after a failure, in seconds. Each further one is twice as long, up to the longest. */
const REST_SECONDS = { first: 5, longest: 300 }
/** In seconds: longer than an attempt takes. Whoever tries a store that has rested keeps others away for as
 * long. */
const TRIAL_SECONDS = 30

export interface StoreHealth {
  failures: number
  resting_until: Date | null
}

/** Leave to try the store. Who fails tells with which number of failures they began. */
export type StoreAttempt = Pick<StoreHealth, 'failures'>

/** Returns leave to try the store once, or undefined. After a rest it is tried by one caller alone. A rest
 * that ends later than the longest is over: the clock was set back since. */
export async function mayTry(db: Transaction): Promise<StoreAttempt | undefined> {
  const [row] = await db.query<StoreAttempt & { may: boolean }>({
    name: 'store-may-try',
    text: `with trial as (
        update store_health set resting_until = now() + make_interval(secs => $1)
        where store = 's3' and (resting_until <= now() or resting_until > now() + make_interval(secs => $2))
        returning store
      )
      select failures, resting_until is null or exists (select from trial) as may
      from store_health where store = 's3'`,
    values: [TRIAL_SECONDS, REST_SECONDS.longest],
  })
  return row!.may ? { failures: row!.failures } : undefined
}

/** Gives the store a rest. Of attempts that run at the same time only the first to fail does: otherwise a
 * short fault under load would be a long rest. */
export async function itFailed(db: Transaction, { failures }: StoreAttempt): Promise<void> {
  await db.query({
    name: 'store-failed',
    text: `update store_health set failures = failures + 1, changed_at = now(),
        resting_until = now() + make_interval(secs => least($1 * 2 ^ least(failures, 20), $2))
      where store = 's3' and failures = $3`,
    values: [REST_SECONDS.first, REST_SECONDS.longest, failures],
  })
}

/** Ends the rest. Changes nothing if there is none. */
export async function itWorked(db: Transaction): Promise<void> {
  await db.query({
    name: 'store-worked',
    text: `update store_health set failures = 0, resting_until = null, changed_at = now()
      where store = 's3' and resting_until is not null`,
  })
}

export async function healthOf(db: Transaction): Promise<StoreHealth> {
  const [row] = await db.query<StoreHealth>({
    name: 'store-health',
    text: `select failures, resting_until from store_health where store = 's3'`,
  })
  return row!
}

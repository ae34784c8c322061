import type { Database } from './database.ts'

const FORGOTTEN_AT_ONCE = 20_000

/** Deletes counts of rate_limits whose time is over: up to 20,000 of them, so that it takes a moment only. */
export async function forgetOldCounts(db: Pick<Database, 'query'>): Promise<void> {
  await db.query({
    name: 'rate-limits-forget',
    text: `delete from rate_limits where key = any (array(
      select key from rate_limits where expire < $1 limit ${FORGOTTEN_AT_ONCE} for update skip locked))`,
    values: [Date.now()],
  })
}

import type { Database } from './database.ts'

const FORGOTTEN_AT_ONCE = 20_000

/** Deletes counts of rate_limits whose time is over, in steps until none is left: a flood from many addresses
 * must not make more counts than the sweeps delete. No step begins after `timeMaxMs`; what is left then waits
 * for the next sweep. */
export async function forgetOldCounts(db: Pick<Database, 'query'>, timeMaxMs = 3_000): Promise<void> {
  const endsAt = performance.now() + timeMaxMs
  for (let step = FORGOTTEN_AT_ONCE; step === FORGOTTEN_AT_ONCE && performance.now() < endsAt;)
    step = (
      await db.query({
        name: 'rate-limits-forget',
        text: `delete from rate_limits where key = any (array(
          select key from rate_limits where expire < $1 limit ${FORGOTTEN_AT_ONCE} for update skip locked))
          returning 1`,
        values: [Date.now()],
      })
    ).length
}

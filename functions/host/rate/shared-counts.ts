import RateLimiterPostgres from 'rate-limiter-flexible/lib/RateLimiterPostgres.js'
import type { Database } from '../database/database.ts'
import { CLOCKS_DIFFER_SECONDS } from '../http/call-token.ts'
import type { Quota } from '../setting-values.ts'

/** What is left of a quota after a request: negative if the request was one too many. */
export interface SharedCount {
  left: number
  /** Whole seconds until all is left again, at least one. */
  seconds: number
}

/** Creates the counter of a policy in the table rate_limits, for all processes that use the same database. A
 * request costs one statement; none, once its key has used up its quota, which this process remembers.
 * Rejects with UnavailableError if the database does not answer. Functions load this file at the first
 * request that is to be counted. */
export function createSharedCounts(
  db: Pick<Database, 'query'>,
  policy: string,
  { count, seconds }: Quota,
): (key: string) => Promise<SharedCount> {
  const limiter = new RateLimiterPostgres({
    storeClient: { query: (statement: Parameters<Database['query']>[0]) => rowsOf(db, statement) },
    storeType: 'client',
    tableName: 'rate_limits',
    tableCreated: true,
    // Sweeps do that: the library's timer would hardly ever run in a process that soon ends.
    clearExpiredByTimeout: false,
    keyPrefix: policy,
    points: count,
    duration: seconds,
    inMemoryBlockOnConsumed: count + 1,
  })
  const asCount = (left: number, msBeforeNext: number): SharedCount => ({
    left,
    seconds: Math.max(1, Math.ceil(msBeforeNext / 1000)),
  })
  const take = (key: string): Promise<SharedCount> =>
    limiter.consume(key).then(
      ({ remainingPoints, msBeforeNext }) => asCount(remainingPoints, msBeforeNext),
      (refused: unknown) => {
        if (refused instanceof Error) throw refused
        return asCount(-1, (refused as { msBeforeNext: number }).msBeforeNext)
      },
    )
  return async (key) => {
    const taken = await take(key)
    if (taken.seconds <= seconds + CLOCKS_DIFFER_SECONDS) return taken
    // A process whose clock was far ahead wrote this; it would lock the client out until then.
    await limiter.delete(key)
    return take(key)
  }
}

/** Answers as the driver does that the library knows. */
async function rowsOf(db: Pick<Database, 'query'>, statement: Parameters<Database['query']>[0]) {
  const rows = await db.query<{ points: number; expire: bigint }>(statement)
  return { rows: rows.map(({ points, expire }) => ({ points, expire: Number(expire) })) }
}

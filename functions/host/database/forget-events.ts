import type { Database } from './database.ts'

const EVENTS_AT_ONCE = 1_000

/** Removes names, addresses and texts from events in the outbox that are older than 90 days, in steps; see
 * eventing/sql/0003-forget-events.sql. No step begins after `timeMaxMs`; the next sweep goes on. */
export async function forgetOldEvents(db: Pick<Database, 'query'>, timeMaxMs: number): Promise<void> {
  const endsAt = performance.now() + timeMaxMs
  for (let step = EVENTS_AT_ONCE; step === EVENTS_AT_ONCE && performance.now() < endsAt;) {
    const [row] = await db.query<{ passed: bigint }>({
      name: 'outbox-forget',
      text: `select forget_events(${EVENTS_AT_ONCE}) as passed`,
    })
    step = Number(row!.passed)
  }
}

import type { Queryable } from './database/queryable.ts'
import type { OutboxEvent } from './outbox-event.ts'

/** The rows of `outbox_pending`: events that are stored and not yet published.
 *
 * The table is empty one moment and has a hundred thousand rows the next. So none of these statements has a
 * name: a prepared statement would keep the plan that suited the empty table. */
export const CLAIM_MS = 30_000

/** Claims up to `count` events that nobody is publishing. Nobody else can claim them for CLAIM_MS, unless the
 * clock is set: then an event may be published twice, with the same id. However far the clock is set back,
 * no event waits longer than its claim lasts. A claim may lie one second in the future, because it may have
 * been made while this statement was planned. */
export async function claim(db: Queryable, count: number): Promise<OutboxEvent[]> {
  const rows = await db.query<Omit<OutboxEvent, 'time'> & { time: Date }>({
    // With array() the rows are chosen once. With IN they may be chosen anew for every row, and then all rows
    // are claimed.
    text: `with claimed as (
        update outbox_pending
        set claimed_at = now(), claimed_until = now() + $2 * interval '1 millisecond', attempts = attempts + 1
        where event_id = any(array(
          select event_id from outbox_pending where claimed_until <= now() or claimed_at > now() + interval '1 second'
          order by event_id limit $1 for update skip locked
        ))
        returning event_id
      )
      select id, type, source, subject, time, dataschema, partitionkey, traceparent, data::text as data, extensions
      from outbox join claimed on id = event_id order by id`,
    values: [count, CLAIM_MS],
  })
  return rows.map((row) => ({ ...row, time: row.time.toISOString() }))
}

/** Deletes rows. Call it only for events that the Broker has confirmed. */
export async function forget(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    text: `delete from outbox_pending where event_id = any($1::uuid[])`,
    values: [ids],
  })
}

/** Releases rows at once, before their claim runs out. */
export async function release(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    text: `update outbox_pending set claimed_until = now() where event_id = any($1::uuid[])`,
    values: [ids],
  })
}

/** Keeps events from sweeps for an hour, so that events that the Broker refuses don't hold up the others. */
export async function putOff(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    text: `update outbox_pending set claimed_at = now(), claimed_until = now() + interval '1 hour'
      where event_id = any($1::uuid[])`,
    values: [ids],
  })
}

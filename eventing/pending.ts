import type { Queryable } from './database/queryable.ts'
import type { OutboxEvent } from './outbox-event.ts'

/** The rows of `outbox_pending`: what is stored and still has to be published.
 *
 * The table is empty one moment and has a hundred thousand rows the next, so none of these statements has a
 * name: a prepared one would keep the plan that suited the empty table. */
export const CLAIM_MS = 30_000

/** Takes up to so many events that nobody is publishing; nobody else takes them within CLAIM_MS, unless the
 * clock is set: then an event may be published twice, with the same id. However far it is set back, none
 * waits for longer than it was claimed for. The second that a claim may be in the future is for those made
 * while this statement was planned. */
export async function claim(db: Queryable, count: number): Promise<OutboxEvent[]> {
  const rows = await db.query<Omit<OutboxEvent, 'time'> & { time: Date }>({
    // array(): chosen once, by itself. With IN the choice may be made anew for every row, and then all are
    // claimed.
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

/** For what the Broker has confirmed, and for nothing else. */
export async function forget(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    text: `delete from outbox_pending where event_id = any($1::uuid[])`,
    values: [ids],
  })
}

/** Gives rows back at once, instead of when the claim runs out. */
export async function release(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    text: `update outbox_pending set claimed_until = now() where event_id = any($1::uuid[])`,
    values: [ids],
  })
}

/** Lets sweeps pass over events for an hour, so that what the Broker refuses doesn't stand in the way of the
 * rest. */
export async function putOff(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    text: `update outbox_pending set claimed_at = now(), claimed_until = now() + interval '1 hour'
      where event_id = any($1::uuid[])`,
    values: [ids],
  })
}

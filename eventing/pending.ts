import type { Queryable } from './database/queryable.ts'
import type { PendingEvent } from './outbox-event.ts'

/** The rows of `outbox_pending`: events that are stored and not yet published, up to a hundred in a row.
 *
 * The table is empty one moment and has thousands of rows the next. So none of these statements has a name: a
 * prepared statement would keep the plan that suited the empty table. */
export const CLAIM_MS = 30_000

/** Most events in one row. More would not fit into a page with their trace contexts. */
export const GROUP_MAX = 100

/** A row of `outbox_pending` and its events. If it has none, another process has published all of them, and
 * the row can be deleted. */
export interface PendingGroup {
  id: string
  events: PendingEvent[]
  /** Ids of events that no table has. */
  missing: string[]
}

/** The id is null in a row without events; the time is null if no table has the event. */
type ClaimedRow = Omit<PendingEvent, 'id' | 'time'> & { id: string | null; time: Date | null }

/** Claims rows that nobody is publishing, until they hold `count` events or more. Nobody else can claim them
 * for CLAIM_MS, unless the clock is set: then an event may be published twice, with the same id. However far
 * the clock is set back, no event waits longer than its claim lasts. A claim may lie one second in the
 * future, because it may have been made while this statement was planned. */
export async function claim(db: Queryable, count: number): Promise<PendingGroup[]> {
  const rows = await db.query<ClaimedRow>({
    // With array() the rows are chosen once. With IN they may be chosen anew for every row, and then all rows
    // are claimed.
    text: `with free as materialized (
        select id, cardinality(event_ids) as size from outbox_pending
        where claimed_until <= now() or claimed_at > now() + interval '1 second'
        order by id limit $1 for update skip locked
      ), claimed as materialized (
        update outbox_pending
        set claimed_at = now(), claimed_until = now() + $2 * interval '1 millisecond', attempts = attempts + 1
        where id = any (array(
          select id from (select id, sum(size) over (order by id) - size as before from free) f where before < $1
        ))
        returning id, event_ids, traceparents
      )
      select c.id as "pendingId", w.event_id as id, e.type, e.source, e.subject, e.time, e.dataschema, e.partitionkey,
        coalesce(w.traceparent, c.traceparents[1], e.traceparent) as traceparent, e.data::text as data, e.extensions
      from claimed c
      left join lateral unnest(c.event_ids, c.traceparents) with ordinality w (event_id, traceparent, n) on true
      left join events_by_id(array(select unnest(event_ids) from claimed)) e on e.id = w.event_id
      order by c.id, w.n`,
    values: [count, CLAIM_MS],
  })
  return toGroups(rows)
}

function toGroups(rows: readonly ClaimedRow[]): PendingGroup[] {
  const groups = new Map<string, PendingGroup>()
  for (const { id, time, ...row } of rows) {
    const group = groups.get(row.pendingId) ?? { id: row.pendingId, events: [], missing: [] }
    groups.set(group.id, group)
    if (id && time) group.events.push({ ...row, id, time: time.toISOString() })
    else if (id) group.missing.push(id)
  }
  return [...groups.values()]
}

/** Deletes rows. Call it only if the Broker has confirmed every event in them. */
export async function forget(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    text: `delete from outbox_pending where id = any ($1::uuid[])`,
    values: [ids],
  })
}

/** Releases rows at once, before their claim runs out. */
export async function release(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query({
    text: `update outbox_pending set claimed_until = now() where id = any ($1::uuid[])`,
    values: [ids],
  })
}

/** What became of some events of a row, by their ids. */
export interface Parting {
  id: string
  confirmed: string[]
  refused: string[]
  /** Whether the claim on the remaining events ends now. */
  isReleased: boolean
}

/** Takes events out of their rows. Those that were refused get rows of their own, which sweeps leave
 * alone for an hour, so that they don't hold up the others. */
export async function part(db: Queryable, partings: readonly Parting[]): Promise<void> {
  await db.query({
    text: `with parting as (
        select * from json_to_recordset($1) as r (id uuid, confirmed uuid[], refused uuid[], "isReleased" boolean)
      ), put_off as (
        insert into outbox_pending (event_ids, traceparents, claimed_until)
        select array[w.event_id], array[coalesce(w.traceparent, p.traceparents[1])], now() + interval '1 hour'
        from outbox_pending p join parting using (id)
        cross join lateral unnest(p.event_ids, p.traceparents) w (event_id, traceparent)
        where p.id = any (array(select id from parting)) and w.event_id = any (refused)
      )
      update outbox_pending p
      set claimed_until = case when "isReleased" then now() else claimed_until end,
        (event_ids, traceparents) = (
          select coalesce(array_agg(event_id order by n), '{}'),
            array_agg(coalesce(traceparent, p.traceparents[1]) order by n)
          from unnest(p.event_ids, p.traceparents) with ordinality w (event_id, traceparent, n)
          where event_id <> all (confirmed || refused)
        )
      from parting
      where p.id = parting.id and p.id = any (array(select id from parting))`,
    values: [JSON.stringify(partings)],
  })
}

import type { Database } from '../../host/database/database.ts'
import { firstIdAt } from '../../host/audit/time-ids.ts'
import { notificationColumns, type NotificationRow } from '../notification.ts'
import { NO_ID, unknownEvent, type Resumption, type StreamPlace } from './place.ts'

/** A notification, and the transaction that stored it. */
export type PlacedRow = NotificationRow & { xact: string }

export const placeOf = ({ xact, id }: Pick<PlacedRow, 'xact' | 'id'>): StreamPlace => ({
  xact: BigInt(xact),
  id,
})

/** Where a client goes on, and before which time no notification after it has its id. */
export interface ResumedPlace extends StreamPlace {
  ms: number
}

interface Found {
  xact: string
  /** The last notification before a place, anybody's. */
  before: string | null
}

/** Returns the place at which a client goes on. Throws a ProblemError (400) if the event is not one of
 * theirs. */
export async function placeToResume(db: Database, userId: string, from: Resumption): Promise<ResumedPlace> {
  const [row] =
    from.after === 'notification'
      ? await db.query<Found>({
          name: 'stream-place',
          text: 'select xact, null as before from notifications where id = $1 and user_id = $2',
          values: [from.id, userId],
        })
      : await db.query<Found>({
          name: 'stream-place-check',
          // A later one is of another server, from which this one was restored.
          text: `select $1::xid8 as xact, (
              select id from notifications where xact < $1::xid8 order by xact desc, id desc limit 1
            ) as before
            where $1::xid8 <= pg_snapshot_xmin(pg_current_snapshot())`,
          values: [String(from.xact)],
        })
  if (!row) throw unknownEvent()
  if (from.after === 'notification') return { xact: BigInt(row.xact), id: from.id, ms: msOf(from.id) }
  // The client says the time of the place. With too early a one, all that they ever got would be read.
  const { before } = row
  return { xact: from.xact, id: NO_ID, ms: Math.max(from.ms, before ? msOf(before) : 0) }
}

/** The time of a UUIDv7, in milliseconds since 1970. */
const msOf = (id: string): number => parseInt(id.replace('-', '').slice(0, 12), 16)

/** The most notifications that a client can have missed. A stream is no archive. */
export const MISSED_MAX = 5_000
const PAGE_ROWS = 200
/** A row's id is made at most as long before its transaction's number as a statement takes; a day is more
 * than a clock is ever put back, too. */
const EARLIER_MS = 86_400_000

/** A page of what a user has missed. `missed` is how much that is in all, at most one more than
 * MISSED_MAX. */
export interface MissedPage {
  missed: number
  rows: PlacedRow[]
}

/** Reads a page of what a user has missed after a place, up to another. */
export async function readMissed(
  db: Database,
  userId: string,
  after: ResumedPlace,
  upTo: StreamPlace,
): Promise<MissedPage> {
  const found = await db.query<(PlacedRow | { id: null }) & { missed: bigint }>({
    name: 'stream-missed',
    text: `with mine as materialized (
        select id, xact from notifications
        where user_id = $1 and id > $2 and channel = 'in-app'
          and (xact, id) > ($3::xid8, $4::uuid) and (xact, id) <= ($5::xid8, $6::uuid)
        order by id limit ${MISSED_MAX + 1}
      )
      select always.missed, n.xact, ${notificationColumns}
      from (select count(*) as missed from mine) always
      left join (
        select n.* from (select * from mine order by xact, id limit ${PAGE_ROWS}) page
        cross join lateral (select * from notifications where notifications.id = page.id offset 0) n
      ) n on true
      order by n.xact, n.id`,
    values: [
      ...[userId, firstIdAt(momentOf(after.ms - EARLIER_MS), '/last_event_id')],
      ...[String(after.xact), after.id, String(upTo.xact), upTo.id],
    ],
  })
  return {
    missed: Number(found[0]!.missed),
    rows: found.filter((row): row is PlacedRow & { missed: bigint } => row.id !== null),
  }
}

const momentOf = (ms: number): string => new Date(Math.max(0, ms)).toISOString()

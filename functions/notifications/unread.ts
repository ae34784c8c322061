import type { Database } from '../host/database/database.ts'

/** More unread notifications than this are not counted, so that counting stays short. */
export const UNREAD_COUNTED_MAX = 1_000
/** Notifications that one call marks as read, at most: a statement has ten seconds. */
const MARKED_MAX = 10_000

/** Counts the unread notifications in a user's list, up to UNREAD_COUNTED_MAX. */
export async function countUnread(db: Database, userId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>({
    name: 'notifications-unread',
    text: `select count(*)::int as count from (
        select from notifications where user_id = $1 and read_at is null and channel = 'in-app'
        limit ${UNREAD_COUNTED_MAX}
      ) unread`,
    values: [userId],
  })
  return row!.count
}

/** Marks a user's notifications as read, from one of them back, the newest first and MARKED_MAX at most.
 * Resolves with false if the user has none with this id. One whose transaction is still running stays
 * unread, even if its id is lower: the user can't have seen it. */
export async function markRead(db: Database, userId: string, upTo: string): Promise<boolean> {
  const [row] = await db.query<{ is_theirs: boolean }>({
    name: 'notifications-read',
    text: `with theirs as (
        select id from notifications where id = $2 and user_id = $1 and channel = 'in-app'
      ), unread as (
        select id from notifications
        where user_id = $1 and read_at is null and channel = 'in-app' and id <= (select id from theirs)
        order by id desc limit ${MARKED_MAX} for update skip locked
      ), marked as (
        update notifications n set read_at = date_trunc('milliseconds', now()) from unread where n.id = unread.id
      )
      select exists (select from theirs) as is_theirs`,
    values: [userId, upTo],
  })
  return row!.is_theirs
}

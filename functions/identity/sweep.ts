import type { Database } from '../host/database/database.ts'
import { FORGOTTEN_AFTER } from './throttle.ts'

const AT_ONCE = 5_000
/** Rows: about 100 MB. Only a flood from very many addresses can bring more in an hour. */
const COUNTS_MAX = 500_000

/** Deletes what no longer counts: expired sessions with their tokens, expired links, and counts of attempts
 * older than an hour. If more than `countsMax` counts remain, the lowest are deleted too: a flood must not
 * fill the disk, and those who guessed most stay slowed. Any number of processes may call this at once. */
export async function sweepIdentity(db: Database, countsMax = COUNTS_MAX): Promise<void> {
  await repeat(db, {
    name: 'sessions-sweep',
    text: `delete from sessions where id = any(array(
        select id from sessions where expires_at <= now() order by expires_at limit $1 for update skip locked))
      returning id`,
    values: [AT_ONCE],
  })
  await repeat(db, {
    name: 'mailed-links-sweep',
    text: `delete from mailed_links where id = any(array(
        select id from mailed_links where expires_at <= now() order by expires_at limit $1 for update skip locked))
      returning id`,
    values: [AT_ONCE],
  })
  // If the clock was set back, some attempts lie in the future. They would be kept for longer than an hour.
  await repeat(db, {
    name: 'attempts-bring-back',
    text: `update login_failures set last_attempt_at = now() where subject = any(array(
        select subject from login_failures where last_attempt_at > now() + interval '1 minute'
        order by last_attempt_at desc limit $1 for update skip locked))
      returning subject`,
    values: [AT_ONCE],
  })
  await repeat(db, {
    name: 'attempts-sweep',
    text: `delete from login_failures where subject = any(array(
        select subject from login_failures where last_attempt_at < now() - make_interval(secs => $2)
        order by last_attempt_at limit $1 for update skip locked))
      returning subject`,
    values: [AT_ONCE, FORGOTTEN_AFTER],
  })
  await db.query({
    name: 'attempts-bound',
    text: `delete from login_failures where subject = any(array(
      select subject from login_failures order by failures, last_attempt_at
      limit greatest(0, (select count(*) from login_failures) - $1) for update skip locked))`,
    values: [countsMax],
  })
}

async function repeat(db: Database, statement: Parameters<Database['query']>[0]): Promise<void> {
  for (;;) if ((await db.query(statement)).length < AT_ONCE) return
}

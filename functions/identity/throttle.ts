import { createHash } from 'node:crypto'
import type { Config } from '../host/config.ts'
import type { Database, Transaction } from '../host/database/database.ts'
import { clientOf, isShared } from '../host/http/client-network.ts'

/** How a count slows its subject: `free` attempts cost nothing, the next one a wait of `firstWait` seconds,
 * and each further one twice the wait before, up to `longestWait` seconds. */
export interface Limit {
  free: number
  firstWait: number
  longestWait: number
}

/** What is counted.
 *
 * Failed log-ins. Somebody who guesses at one account is slowed soon, and only they are: the account's owner,
 * who comes from another address, must not be locked out. The account as a whole is slowed if many clients
 * guess at it, and a client if it guesses at many accounts. Both are slowed only a little, because the
 * account's owner, or others behind the same address, may be among them. A shared address (see isShared) is
 * not counted by itself.
 *
 * What succeeds but is expensive, per hour: log-ins of one user from one address, and registrations from one
 * address. Settings give their `free`. And requests for a new password from one address, and links that are
 * mailed to one email address: nobody's mailbox is to be filled. */
export const limits = {
  accountFromClient: { free: 5, firstWait: 30, longestWait: 900 },
  account: { free: 50, firstWait: 1, longestWait: 60 },
  client: { free: 100, firstWait: 1, longestWait: 300 },
  logins: { firstWait: 1, longestWait: 60 },
  registrations: { firstWait: 10, longestWait: 300 },
  resets: { free: 20, firstWait: 10, longestWait: 300 },
  mails: { free: 2, firstWait: 900, longestWait: 3600 },
} as const

/** Seconds without an attempt after which a subject's count is forgotten. */
export const FORGOTTEN_AFTER = 3_600
const SWEPT_AT_ONCE_MAX = 20
/** Clocks of different processors differ by about this much, so a smaller lead is no error. */
const AHEAD_SECONDS = 1

/** Returns the seconds that a subject must still wait; 0 if it may try. `quietSeconds` is the time since its
 * last attempt; it is negative if the clock was set back since. */
export function waitSeconds(limit: Limit, failures: number, quietSeconds: number): number {
  if (failures <= limit.free || quietSeconds >= FORGOTTEN_AFTER) return 0
  const wait = Math.min(limit.firstWait * 2 ** (failures - limit.free - 1), limit.longestWait)
  return Math.max(0, Math.ceil(wait - Math.max(0, quietSeconds)))
}

interface Subject {
  /** SHA-256 of what is counted. */
  id: Buffer
  limit: Limit
}

interface CountedRow {
  subject: Buffer
  failures: number
  quiet_seconds: number
}

/** One attempt to log in. `succeeded` takes it off the failures again. */
export interface Attempt {
  succeeded(tx: Transaction): Promise<void>
}

export interface Wait {
  waitSeconds: number
}

/** Begins an attempt to log in, or returns the seconds to wait before the next. `email` is in canonical form
 * and need not belong to a user; `address` is the client's, empty if unknown.
 *
 * An attempt counts as failed until it has succeeded. If it were counted afterwards, any number of guesses
 * sent at once would pass before the first is counted. An attempt that must wait is not counted, because the
 * wait would never end for a program that keeps trying. */
export async function beginAttempt(
  db: Database,
  { email, address }: { email: string; address: string },
  { LOGINS_FREE }: Pick<Config, 'LOGINS_FREE'>,
): Promise<Attempt | Wait> {
  const client = clientOf(address)
  const accountFromClient = subject(limits.accountFromClient, 'account from client', email, client)
  const others = [
    subject(limits.account, 'account', email),
    ...(isShared(address) ? [] : [subject(limits.client, 'client', client)]),
  ]
  // By client too: otherwise anybody could see whether somebody logs in often, and so that the user exists.
  const logins = subject({ ...limits.logins, free: LOGINS_FREE }, 'log-ins', email, client, thisHour())
  const wait = await take(db, [accountFromClient, ...others], [logins])
  if (wait > 0) return { waitSeconds: wait }
  return {
    succeeded: async (tx) => {
      await uncount(tx, accountFromClient, others)
      await countLogin(tx, logins)
    },
  }
}

/** Counts a registration, or returns the seconds to wait before the next. A shared address is not counted;
 * there only the time that hashing takes limits registrations. */
export async function beginRegistration(
  db: Database,
  address: string,
  { REGISTRATIONS_FREE }: Pick<Config, 'REGISTRATIONS_FREE'>,
): Promise<Wait> {
  if (isShared(address)) return { waitSeconds: 0 }
  const limit = { ...limits.registrations, free: REGISTRATIONS_FREE }
  return { waitSeconds: await take(db, [subject(limit, 'registrations', clientOf(address), thisHour())]) }
}

/** Counts a request for a new password, or returns the seconds to wait before the next. A shared address is
 * not counted. */
export async function beginReset(db: Database, address: string): Promise<Wait> {
  if (isShared(address)) return { waitSeconds: 0 }
  return { waitSeconds: await take(db, [subject(limits.resets, 'resets', clientOf(address), thisHour())]) }
}

/** Counts a link for a purpose that is to be mailed to an address, in canonical form, or returns the seconds
 * to wait before the next. The address need not belong to a user. */
export const beginMail = async (db: Database, purpose: string, email: string): Promise<Wait> => ({
  waitSeconds: await take(db, [subject(limits.mails, 'mails', purpose, email)]),
})

/** Adds one to each count in `counted` and returns 0; or returns the seconds to wait for one of them or of
 * `watched`. If there is a wait it writes nothing, so that a flood of attempts that must wait leaves no
 * rows. */
async function take(db: Database, counted: Subject[], watched: Subject[] = []): Promise<number> {
  const all = [...counted, ...watched]
  const seen = await look(db, all)
  // The clock was set back. Without this, each attempt would restart the wait until the clock has caught up.
  if (seen.some(({ quiet_seconds }) => quiet_seconds < -AHEAD_SECONDS)) await bringBack(db, all)
  const wait = longestWait(all, seen)
  if (wait > 0) return wait
  return db.transaction(async (tx) => {
    const locked = await lock(tx, counted)
    const wait = longestWait(counted, locked)
    if (wait === 0) await count(tx, locked)
    else await removeEmpty(tx, counted)
    return wait
  })
}

const QUIET = 'extract(epoch from clock_timestamp() - last_attempt_at)::float8 as quiet_seconds'

const look = (db: Database, subjects: Subject[]): Promise<CountedRow[]> =>
  db.query<CountedRow>({
    name: 'login-failures-look',
    text: `select subject, failures, ${QUIET} from login_failures where subject = any($1)`,
    values: [subjects.map(({ id }) => id)],
  })

/** Reads the counts and locks them until the transaction ends. It locks them in the order of their ids, so
 * that two attempts can't wait for each other. */
const lock = (tx: Transaction, subjects: Subject[]): Promise<CountedRow[]> =>
  tx.query<CountedRow>({
    name: 'login-failures-lock',
    text: `insert into login_failures (subject) select subject from unnest($1::bytea[]) subject order by subject
      on conflict (subject) do update set subject = excluded.subject returning subject, failures, ${QUIET}`,
    values: [subjects.map(({ id }) => id)],
  })

function longestWait(subjects: Subject[], counted: CountedRow[]): number {
  const waits = subjects.map(({ id, limit }) => {
    const row = counted.find(({ subject }) => subject.equals(id))
    return row ? waitSeconds(limit, row.failures, row.quiet_seconds) : 0
  })
  return Math.max(...waits)
}

/** Adds one to each count; a forgotten count starts again at one. Also deletes a few other forgotten counts,
 * so that the table holds no more than about an hour. */
async function count(tx: Transaction, counted: CountedRow[]): Promise<void> {
  await tx.query({
    name: 'login-failures-count',
    text: `update login_failures as counted set failures = given.failures, last_attempt_at = clock_timestamp()
      from unnest($1::bytea[], $2::integer[]) as given (subject, failures) where counted.subject = given.subject`,
    values: [
      counted.map(({ subject }) => subject),
      counted.map(({ failures, quiet_seconds }) => (quiet_seconds >= FORGOTTEN_AFTER ? 1 : failures + 1)),
    ],
  })
  await tx.query({
    name: 'login-failures-sweep',
    text: `delete from login_failures where subject = any(array(
      select subject from login_failures where last_attempt_at < now() - make_interval(secs => $1)
      order by last_attempt_at limit $2 for update skip locked))`,
    values: [FORGOTTEN_AFTER, SWEPT_AT_ONCE_MAX],
  })
}

/** Deletes the rows that lock() inserted for an attempt that then had to wait. */
async function removeEmpty(tx: Transaction, subjects: Subject[]): Promise<void> {
  await tx.query({
    name: 'login-failures-remove-empty',
    text: 'delete from login_failures where subject = any($1) and failures = 0',
    values: [subjects.map(({ id }) => id)],
  })
}

/** Moves attempts that lie in the future to this moment. */
async function bringBack(db: Database, subjects: Subject[]): Promise<void> {
  await db.query({
    name: 'login-failures-bring-back',
    text: `update login_failures set last_attempt_at = clock_timestamp()
      where subject = any(array(
        select subject from login_failures where subject = any($1) and last_attempt_at > clock_timestamp()
        order by subject for update))`,
    values: [subjects.map(({ id }) => id)],
  })
}

/** Takes a successful attempt off the failures. What failed from this client counts as mistyped and is
 * forgotten. The other counts lose only this attempt: otherwise a thief could clear them by logging in to
 * their own account in between. */
async function uncount(tx: Transaction, accountFromClient: Subject, others: Subject[]): Promise<void> {
  await tx.query({
    name: 'login-failures-uncount',
    text: `with locked as (
        select subject from login_failures where subject = $1 or subject = any($2) order by subject for update)
      update login_failures as counted
        set failures = case when counted.subject = $1 then 0 else greatest(failures - 1, 0) end
        from locked where counted.subject = locked.subject`,
    values: [accountFromClient.id, others.map(({ id }) => id)],
  })
}

async function countLogin(tx: Transaction, { id }: Subject): Promise<void> {
  await tx.query({
    name: 'logins-count',
    text: `insert into login_failures as counted (subject, failures) values ($1, 1)
      on conflict (subject) do update set failures = counted.failures + 1, last_attempt_at = clock_timestamp()`,
    values: [id],
  })
}

/** The hour is part of the subject, so each hour starts a new count. */
const thisHour = (): string => String(Math.floor(Date.now() / 3_600_000))

const subject = (limit: Limit, ...parts: string[]): Subject => ({
  id: createHash('sha256').update(JSON.stringify(parts)).digest(),
  limit,
})

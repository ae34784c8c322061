import { createHash } from 'node:crypto'
import type { Config } from '../host/config.ts'
import type { Database, Transaction } from '../host/database/database.ts'
import { clientOf, isShared } from './client.ts'

/** How what was counted of a subject slows it down: `free` attempts cost nothing, the next one a wait of
 * `firstWait` seconds, each further one twice that, up to `longestWait`. */
export interface Limit {
  free: number
  firstWait: number
  longestWait: number
}

/** What is counted.
 *
 * Failed log-ins: whoever guesses at one account is slowed at once, but only they: the owner, who comes from
 * elsewhere, must not be locked out by them. The account as a whole is slowed when many clients guess at it,
 * and a client when it guesses at many accounts; both by little, since an account's owner, or others behind
 * the same address, may be among them. An address that everybody may share (see isShared) is not counted by
 * itself.
 *
 * What succeeds but is dear, by the hour: log-ins of one user from one address, and registrations from one.
 * Their `free` are settings. */
export const limits = {
  accountFromClient: { free: 5, firstWait: 30, longestWait: 900 },
  account: { free: 50, firstWait: 1, longestWait: 60 },
  client: { free: 100, firstWait: 1, longestWait: 300 },
  logins: { firstWait: 1, longestWait: 60 },
  registrations: { firstWait: 10, longestWait: 300 },
} as const

/** Seconds without an attempt after which what was counted of a subject is forgotten. */
export const FORGOTTEN_AFTER = 3_600
const SWEPT_AT_ONCE_MAX = 20
/** A clock that is ahead by less is not set wrong: processors differ by so much. */
const AHEAD_SECONDS = 1

/** Seconds that a subject still has to wait: 0 when it may try.
 * @param quietSeconds since its last attempt; negative where the clock was set back meanwhile */
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

/** Begins an attempt to log in, or says how many seconds to wait for the next.
 *
 * It counts as failed until it has succeeded: if it were counted afterwards, any number of guesses sent at
 * once would all pass before the first of them is counted. An attempt that has to wait isn't counted at all,
 * else the wait would never end for somebody whose program keeps trying.
 * @param email in canonical form, of a user or not
 * @param address of the client; empty where it is not known */
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
  // By client too: else whether somebody logs in often, and so that there is such a user, would show to all.
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

/** Counts a registration, or says how many seconds to wait for the next. From an address that everybody may
 * share there are as many as the hash function bears. */
export async function beginRegistration(
  db: Database,
  address: string,
  { REGISTRATIONS_FREE }: Pick<Config, 'REGISTRATIONS_FREE'>,
): Promise<Wait> {
  if (isShared(address)) return { waitSeconds: 0 }
  const limit = { ...limits.registrations, free: REGISTRATIONS_FREE }
  return { waitSeconds: await take(db, [subject(limit, 'registrations', clientOf(address), thisHour())]) }
}

/** Adds one to each of `counted` and returns 0, or returns how long to wait for one of them or of `watched`;
 * then nothing is written, so that a flood of attempts that have to wait leaves nothing behind. */
async function take(db: Database, counted: Subject[], watched: Subject[] = []): Promise<number> {
  const all = [...counted, ...watched]
  const seen = await look(db, all)
  // The clock was set back: without this the wait would begin anew at each attempt until it is as late again.
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

/** Reads the counts and locks them until the transaction ends, in the order of the subjects, so that two
 * attempts can't wait for each other. */
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

/** Adds one to each, from nothing where the earlier ones are forgotten, and clears away a few counts of
 * others that are: the table stays as small as what happened in the last hour. */
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

/** What lock() has inserted for an attempt that then had to wait. */
async function removeEmpty(tx: Transaction, subjects: Subject[]): Promise<void> {
  await tx.query({
    name: 'login-failures-remove-empty',
    text: 'delete from login_failures where subject = any($1) and failures = 0',
    values: [subjects.map(({ id }) => id)],
  })
}

/** Makes attempts that are still to come, by the clock, attempts of this moment. */
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

/** The owner is there: what failed from this client was mistyped. The other counts lose only this attempt, or
 * a thief could clear them by logging in to an account of their own in between. */
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

/** What is counted by the hour begins anew as another subject. */
const thisHour = (): string => String(Math.floor(Date.now() / 3_600_000))

const subject = (limit: Limit, ...parts: string[]): Subject => ({
  id: createHash('sha256').update(JSON.stringify(parts)).digest(),
  limit,
})

import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { Database, Transaction } from '../../knative/host/database.ts'

/** How a subject's failures slow it down: `free` of them cost nothing, the next one a wait of `firstWait`
 * seconds, each further one twice that, up to `longestWait`. */
export interface Limit {
  free: number
  firstWait: number
  longestWait: number
}

/** What is counted. Whoever guesses at one account is slowed at once, but only he: the owner, who comes from
 * elsewhere, must not be locked out by him. The account as a whole is slowed when many clients guess at it, and
 * a client when it guesses at many accounts; both by little, since an account's owner, or others behind the
 * same address, may be among them. */
export const limits = {
  accountFromClient: { free: 5, firstWait: 30, longestWait: 900 },
  account: { free: 50, firstWait: 1, longestWait: 60 },
  client: { free: 100, firstWait: 1, longestWait: 300 },
} as const satisfies Record<string, Limit>

/** Seconds without an attempt after which the failures of a subject no longer count. */
const FORGOTTEN_AFTER = 3_600
const SWEPT_AT_ONCE_MAX = 20

/** Seconds that a subject still has to wait: 0 when it may try.
 * @param quietSeconds since its last attempt */
export function waitSeconds(limit: Limit, failures: number, quietSeconds: number): number {
  if (failures <= limit.free || quietSeconds >= FORGOTTEN_AFTER) return 0
  const wait = Math.min(limit.firstWait * 2 ** (failures - limit.free - 1), limit.longestWait)
  return Math.max(0, Math.ceil(wait - quietSeconds))
}

interface CountedRow {
  subject: Buffer
  failures: number
  quiet_seconds: number
}

type Subjects = Record<keyof typeof limits, Buffer>

/** One attempt to log in. `succeeded` takes it off the counts again. */
export interface Attempt {
  succeeded(tx: Transaction): Promise<void>
}

/** Begins an attempt, or says how many seconds to wait for the next.
 *
 * It counts as failed until it has succeeded: if it were counted afterwards, any number of guesses sent at
 * once would all pass before the first of them is counted. An attempt that has to wait isn't counted at all,
 * else the wait would never end for somebody whose program keeps trying.
 * @param email in canonical form, of a user or not
 * @param address of the client */
export async function beginAttempt(
  db: Database,
  { email, address }: { email: string; address: string },
): Promise<Attempt | { waitSeconds: number }> {
  const client = clientOf(address)
  const subjects: Subjects = {
    accountFromClient: digest('account from client', email, client),
    account: digest('account', email),
    client: digest('client', client),
  }
  const wait = await db.transaction(async (tx) => {
    const counted = await lock(tx, Object.values(subjects))
    const wait = longestWait(subjects, counted)
    if (wait === 0) await count(tx, counted)
    return wait
  })
  return wait > 0 ? { waitSeconds: wait } : { succeeded: (tx) => uncount(tx, subjects) }
}

/** Reads the counts and locks them until the transaction ends, in the order of the subjects, so that two
 * attempts can't wait for each other. */
const lock = (tx: Transaction, subjects: Buffer[]): Promise<CountedRow[]> =>
  tx.query<CountedRow>({
    name: 'login-failures-lock',
    text: `insert into login_failures (subject) select subject from unnest($1::bytea[]) subject order by subject
      on conflict (subject) do update set subject = excluded.subject
      returning subject, failures,
        extract(epoch from clock_timestamp() - last_attempt_at)::float8 as quiet_seconds`,
    values: [subjects],
  })

function longestWait(subjects: Subjects, counted: CountedRow[]): number {
  const waits = Object.entries(limits).map(([kind, limit]) => {
    const row = counted.find(({ subject }) => subject.equals(subjects[kind as keyof Subjects]))
    return row ? waitSeconds(limit, row.failures, row.quiet_seconds) : 0
  })
  return Math.max(...waits)
}

/** Adds one to each, from nothing where the earlier ones are forgotten, and clears away a few counts of others
 * that are: the table stays as small as what happened in the last hour. */
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

/** The owner is there: what failed from this client was mistyped. The other counts lose only this attempt, or
 * a thief could clear them by logging in to an account of his own in between. */
async function uncount(tx: Transaction, { accountFromClient, account, client }: Subjects): Promise<void> {
  await tx.query({
    name: 'login-failures-uncount',
    text: `with locked as (
        select subject from login_failures where subject in ($1, $2, $3) order by subject for update)
      update login_failures as counted
        set failures = case when counted.subject = $1 then 0 else greatest(failures - 1, 0) end
        from locked where counted.subject = locked.subject`,
    values: [accountFromClient, account, client],
  })
}

/** A client by its address: of IPv6 the first 64 bits, since one subscriber has all addresses behind them. */
export function clientOf(address: string): string {
  if (!isIPv6(address)) return address
  // The URL parser brings the many spellings of an address to the shortest; from there it is made whole.
  const shortest = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1)
  const [head, tail] = shortest.split('::').map((half) => half.split(':').filter(Boolean))
  const behind = tail ?? []
  const groups = [...head!, ...Array<string>(8 - head!.length - behind.length).fill('0'), ...behind]
  const isIPv4Mapped = groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff'
  return isIPv4Mapped ? groups.slice(6).join(':') : groups.slice(0, 4).join(':')
}

const digest = (...parts: string[]): Buffer => createHash('sha256').update(JSON.stringify(parts)).digest()

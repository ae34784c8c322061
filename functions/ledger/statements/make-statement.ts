import type { Database } from '../../host/database/database.ts'
import { accountColumns, type AccountRow } from '../accounts/account.ts'
import type { AccountStatement, StatementPages } from './account-statement.ts'
import { invalidPeriod, type StatementPeriod } from './period.ts'
import { readEntries, sumEntries } from './read-entries.ts'

/** A statement's head, and its entries. */
export interface MadeStatement {
  statement: AccountStatement
  pages: StatementPages
}

/** An account, and which of its entries the period names. */
type Bounds = AccountRow & {
  version: bigint
  now: Date
  before_from: bigint | null
  before_to: bigint | null
  known: bigint | null
}

/** Milliseconds after which an entry can be seen: longer than a function's statement may take. */
const SETTLED_MS = 10_000

/** Makes a statement of an account that the caller may see. First it fixes the numbers of its entries, then
 * it reads them: what is posted meanwhile has higher numbers. Throws a ProblemError (400) for a period that
 * the account can't have. */
export async function makeStatement(
  db: Database,
  account: AccountRow,
  period: StatementPeriod,
): Promise<MadeStatement> {
  const bounds = await readBounds(db, account.id, period)
  return ofBookings(db, bounds, period)
}

async function readBounds(db: Database, accountId: string, period: StatementPeriod): Promise<Bounds> {
  const { from, to, knownAt } = period
  const read = async (): Promise<Bounds> => {
    const before = (moment: string): string =>
      `case when ${moment}::timestamptz is not null
        then version_at(a, ${moment}::timestamptz - interval '1 microsecond') end`
    const [row] = await db.query<Bounds>({
      name: 'statement-bounds',
      text: `select ${accountColumns}, version, now(), ${before('$2')} as before_from, ${before('$3')} as before_to,
          case when $4::timestamptz is not null then version_at(a, $4) end as known
        from accounts a where id = $1`,
      values: [accountId, from, to, knownAt],
    })
    return row!
  }
  const bounds = await read()
  const last = Math.max(to?.getTime() ?? 0, knownAt?.getTime() ?? 0)
  if (last <= bounds.now.getTime() - SETTLED_MS) return bounds
  // An entry from before `to` may be on its way. The next statement begins after it.
  await db.query({ text: 'select await_postings($1)', values: [accountId] })
  return read()
}

/** Makes a statement by booking time: its entries are a range of the account's numbers. */
async function ofBookings(db: Database, bounds: Bounds, period: StatementPeriod): Promise<MadeStatement> {
  const { fromVersion, toVersion } = versionsOf(bounds, period)
  const range = { accountId: bounds.id, after: fromVersion, upTo: toVersion }
  const [before, first, last] = await Promise.all(
    [fromVersion, fromVersion + 1n, toVersion].map((version) => findEntry(db, bounds.id, version)),
  )
  if (toVersion > fromVersion) {
    if (period.from && first!.created_at < period.from)
      throw invalidPeriod('/from_version', `must not be before from: entry ${fromVersion + 1n} is older`)
    if (period.to && last!.created_at >= period.to)
      throw invalidPeriod('/to_version', `must not be after to: entry ${toVersion} is newer`)
  }
  const sums = await sumEntries(db, range)
  const statement: AccountStatement = {
    account: bounds,
    basis: 'booking',
    from: period.from,
    to: period.to,
    ...{ fromVersion, toVersion, knownVersion: null },
    opening: before?.balance_after ?? 0n,
    closing: last?.balance_after ?? 0n,
    ...sums,
    asOf: last?.created_at ?? bounds.created_at,
  }
  return { statement, pages: readEntries(db, range) }
}

function versionsOf(bounds: Bounds, period: StatementPeriod): { fromVersion: bigint; toVersion: bigint } {
  const { version, now } = bounds
  for (const [path, moment] of [
    ['/to', period.to],
    ['/known_at', period.knownAt],
  ] as const)
    if (moment && moment > now) throw invalidPeriod(path, 'must not be in the future')
  for (const name of ['fromVersion', 'toVersion', 'knownVersion'] as const)
    if ((period[name] ?? 0n) > version)
      throw invalidPeriod(PATHS[name], `must be at most ${version}, the number of the account’s last entry`)
  const known = period.knownVersion ?? bounds.known ?? version
  const toVersion = least(period.toVersion ?? bounds.before_to ?? known, known)
  const fromVersion = least(period.fromVersion ?? bounds.before_from ?? 0n, known)
  if (fromVersion > toVersion) throw invalidPeriod('/to_version', `must be at least ${fromVersion}`)
  return { fromVersion, toVersion }
}

const PATHS = {
  fromVersion: '/from_version',
  toVersion: '/to_version',
  knownVersion: '/known_version',
} as const

/** Finds an entry by its number. */
async function findEntry(
  db: Database,
  accountId: string,
  version: bigint,
): Promise<{ balance_after: bigint; created_at: Date } | undefined> {
  const [row] = await db.query<{ balance_after: bigint; created_at: Date }>({
    name: 'entry-find',
    text: 'select balance_after, created_at from entries where account_id = $1 and version = $2',
    values: [accountId, version],
  })
  return row
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

import type { Database } from '../../host/database/database.ts'
import { accountColumns, type AccountRow } from '../accounts/account.ts'
import type { AccountStatement } from './account-statement.ts'
import { knownVersionOf, type Bounds, type MadeStatement } from './bounds.ts'
import { invalidQuery } from '../values/moment.ts'
import type { StatementPeriod } from './period.ts'
import { findEntry, findSeal, readEntries, smaller, sumEntries } from './read-entries.ts'
import { ofValues } from './value-dates.ts'

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
  requireBounds(bounds, period)
  return period.basis === 'value' ? ofValues(db, bounds, period) : ofBookings(db, bounds, period)
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
      throw invalidQuery('/from_version', `must not be before from: entry ${fromVersion + 1n} is older`)
    if (period.to && last!.created_at >= period.to)
      throw invalidQuery('/to_version', `must not be after to: entry ${toVersion} is newer`)
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
    seal: await findSeal(db, bounds.id, toVersion),
  }
  return { statement, pages: readEntries(db, range) }
}

function versionsOf(bounds: Bounds, period: StatementPeriod): { fromVersion: bigint; toVersion: bigint } {
  const known = knownVersionOf(bounds, period)
  const toVersion = smaller(period.toVersion ?? bounds.before_to ?? known, known)
  const fromVersion = smaller(period.fromVersion ?? bounds.before_from ?? 0n, known)
  if (fromVersion > toVersion) throw invalidQuery('/to_version', `must be at least ${fromVersion}`)
  return { fromVersion, toVersion }
}

/** Throws a ProblemError (400) for what lies in the future. Money can count from a day to come, so a period
 * by value date may end there. */
function requireBounds({ version, now }: Bounds, period: StatementPeriod): void {
  const { basis, to, knownAt } = period
  for (const [path, moment] of [
    ['/to', basis === 'booking' ? to : null],
    ['/known_at', knownAt],
  ] as const)
    if (moment && moment > now) throw invalidQuery(path, 'must not be in the future')
  for (const name of ['fromVersion', 'toVersion', 'knownVersion'] as const)
    if ((period[name] ?? 0n) > version)
      throw invalidQuery(PATHS[name], `must be at most ${version}, the number of the account’s last entry`)
}

const PATHS = {
  fromVersion: '/from_version',
  toVersion: '/to_version',
  knownVersion: '/known_version',
} as const

import { dateOrMoment, invalidQuery, momentSchema, readMoment, readStart } from '../../host/moment.ts'
import { statementBases, type StatementBasis } from './account-statement.ts'

const versionSchema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const

/** Query parameters that choose the entries of a statement. A date stands for its beginning in UTC. */
export const periodQuery = {
  from: dateOrMoment,
  to: dateOrMoment,
  from_version: versionSchema,
  to_version: versionSchema,
  basis: { enum: statementBases, default: 'booking' },
  known_at: momentSchema,
  known_version: versionSchema,
} as const

export interface PeriodQuery {
  from?: string
  to?: string
  from_version?: number
  to_version?: number
  basis: StatementBasis
  known_at?: string
  known_version?: number
}

/** What a statement was asked for. */
export interface StatementPeriod {
  basis: StatementBasis
  from: Date | null
  to: Date | null
  fromVersion: bigint | null
  toVersion: bigint | null
  knownAt: Date | null
  knownVersion: bigint | null
}

/** Reads the query. Throws a ProblemError (400) for what can't be a period, whatever the account. */
export function readPeriod(query: PeriodQuery): StatementPeriod {
  const { basis } = query
  const version = (given: number | undefined) => (given === undefined ? null : BigInt(given))
  const period = {
    basis,
    from: query.from === undefined ? null : readStart(query.from, '/from'),
    to: query.to === undefined ? null : readStart(query.to, '/to'),
    fromVersion: version(query.from_version),
    toVersion: version(query.to_version),
    knownAt: query.known_at === undefined ? null : readMoment(query.known_at, '/known_at'),
    knownVersion: version(query.known_version),
  }
  const { from, to, fromVersion, toVersion, knownAt, knownVersion } = period
  if (from && to && from > to) throw invalidQuery('/to', 'must not be before from')
  if (fromVersion !== null && toVersion !== null && fromVersion > toVersion)
    throw invalidQuery('/to_version', 'must be at least from_version')
  if (knownAt && knownVersion !== null)
    throw invalidQuery('/known_version', 'must not be given with known_at')
  if (basis === 'value') requireDays(period)
  return period
}

/** By value date there are no versions in between, and no hours. */
function requireDays({ from, to, fromVersion, toVersion }: StatementPeriod): void {
  if (fromVersion !== null) throw invalidQuery('/from_version', 'must not be given with basis=value')
  if (toVersion !== null)
    throw invalidQuery('/to_version', 'must not be given with basis=value; known_version says what is known')
  for (const [path, moment] of [
    ['/from', from],
    ['/to', to],
  ] as const)
    if (moment && moment.getTime() % DAY_MS !== 0)
      throw invalidQuery(path, 'must be the beginning of a day in UTC with basis=value')
}

const DAY_MS = 86_400_000

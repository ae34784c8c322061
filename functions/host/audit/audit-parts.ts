import type { Transaction } from '../database/database.ts'
import { FIRST_ID, LAST_ID } from './time-ids.ts'

/** A row of the view `audit_log`. */
export interface AuditRow {
  id: string
  at: Date
  caller_id: string | null
  caller_role: string | null
  via: string | null
  operation: string
  route: string | null
  subject: string | null
  owner_id: string | null
  address: string | null
  trace_id: string | null
  outcome: string
  details: Record<string, unknown> | null
}

/** Which rows are wanted; all, where a filter is missing. */
export interface AuditFilters {
  caller?: string | undefined
  owner?: string | undefined
  subject?: string | undefined
  operation?: string | undefined
  /** Ids from this one on. */
  from?: string | undefined
  /** Ids before this one. */
  before?: string | undefined
}

/** Rows of one source, newest first. */
export interface AuditPart<Row extends { id: string } = AuditRow> {
  rows: readonly Row[]
  /** Where the reading stopped although there may be older rows; null if it came to the end. */
  reachedId: string | null
}

/** Reads at most `limit` of the newest rows that pass the filters. */
export type AuditSource = (db: Transaction, filters: AuditFilters, limit: number) => Promise<AuditPart>

/** Rows that one source reads at most for a page. If the filters leave out more, the page ends early, perhaps
 * empty, and its cursor continues. So a page takes no longer as the audit grows. */
export const LOOKED_AT_MAX = 2_000

const auditColumns = `id, at, caller_id, caller_role, via, operation, route, subject, owner_id,
  host(address) as address, trace_id, outcome, details`

/** The filters with an index, the one that leaves the fewest rows first; each with its column. */
const KEYS = [
  ['subject', 'subject'],
  ['owner', 'owner_id'],
  ['caller', 'caller_id'],
  ['operation', 'operation'],
] as const

/** Reads the rows that are stored in `audit`. Of the filters, the first with an index leads; the others are
 * applied to at most LOOKED_AT_MAX of the rows that it finds. */
export const storedPart: AuditSource = async (db, filters, limit) => {
  const given = KEYS.filter(([name]) => filters[name] !== undefined)
  const values: unknown[] = [filters.from ?? FIRST_ID, filters.before ?? LAST_ID, limit + 1]
  const places = given.map(([name, column]) => ({ column, place: `$${values.push(filters[name])}` }))
  const [key, ...others] = places
  // A range over both columns of the index, and its order: with another index Postgres could read through the
  // rows of everybody else.
  const walk = key
    ? `from audit
      where ${key.column} >= ${key.place} and (${key.column}, id) < (${key.place}, $2)
        and (${key.column}, id) >= (${key.place}, $1)
      order by ${key.column} desc, id desc`
    : `from audit where id >= $1 and id < $2 order by id desc`
  const isOther = others.map(({ column, place }) => `${column} = ${place}`).join(' and ')
  return readPart(db, {
    view: 'audit',
    walk,
    where: isOther || 'true',
    walkedMax: isOther ? LOOKED_AT_MAX : null,
    values,
  })
}

/** How one part is read. `$1` and `$2` are the ends of the ids, `$3` is one more than the rows wanted. */
export interface Walk {
  /** Where the rows are, with the columns of `audit_log`. */
  view: string
  /** `from ... order by`: the rows to walk over, from the newest on; each has an id. */
  walk: string
  /** Which of them are wanted. */
  where: string
  /** How many to walk over at most; null if all are wanted. */
  walkedMax: number | null
  values: readonly unknown[]
}

/** Reads one part. The statement has no name, so Postgres plans it for the filters given. Rows are looked up
 * with `any (array(...))`, because a join could be planned as a reading of the whole table. */
export async function readPart(
  db: Transaction,
  { view, walk, where, walkedMax, values }: Walk,
): Promise<AuditPart> {
  const reached =
    walkedMax === null ? 'select null::uuid as id' : `select id ${walk} offset ${walkedMax - 1} limit 1`
  const found = await db.query<(AuditRow | { id: null }) & { reached_id: string | null }>({
    text: `with wanted as materialized (
        select id from (select * ${walk} limit ${walkedMax ?? '$3'}) walked where ${where} order by id desc limit $3
      )
      select found.*, reached.id as reached_id
      from (select) always
      left join (${reached}) reached on true
      left join (
        select ${auditColumns} from ${view} where id = any (array(select id from wanted))
      ) found on true
      order by found.id desc`,
    values: [...values],
  })
  const rows = found.filter((row): row is AuditRow & { reached_id: string | null } => row.id !== null)
  return toPart(rows, (values[2] as number) - 1, found[0]?.reached_id ?? null)
}

/** Makes a part of rows that were read with one row more than `limit`. `reachedId` is where the walk
 * ended. */
export const toPart = <Row extends { id: string }>(
  rows: readonly Row[],
  limit: number,
  reachedId: string | null,
): AuditPart<Row> =>
  rows.length > limit ? { rows: rows.slice(0, limit), reachedId: rows[limit - 1]!.id } : { rows, reachedId }

/** Merges parts into one, newest first. It ends where the first of them stopped, because what is older may
 * lack rows of that one. */
export function mergeParts<Row extends { id: string }>(
  parts: readonly AuditPart<Row>[],
  limit: number,
): AuditPart<Row> {
  const reached = parts.flatMap(({ reachedId }) => reachedId ?? [])
  const reachedId = reached.length > 0 ? reached.reduce((a, b) => (a > b ? a : b)) : null
  const rows = parts
    .flatMap((part) => part.rows)
    .filter(({ id }) => reachedId === null || id >= reachedId)
    .sort((a, b) => (a.id > b.id ? -1 : 1))
  return toPart(rows, limit, reachedId)
}

import {
  LOOKED_AT_MAX,
  readPart,
  type AuditFilters,
  type AuditPart,
  type AuditSource,
  type Walk,
} from '../../host/audit/audit-parts.ts'
import { FIRST_ID, firstIdAt, LAST_ID } from '../../host/audit/time-ids.ts'
import type { Transaction } from '../../host/database/database.ts'
import { WALKED_MAX } from './transaction-lists.ts'
import { ANY_UUID } from '../../host/values/uuid-text.ts'

/** What the transactions say for the audit, in three parts, because a transfer must pay for no index: one
 * transaction by its id, what a caller asked for on others' accounts (by an index that has only those), and
 * all the rest, picked out of the transactions of the whole bank. */

const NOTHING: AuditPart = { rows: [], reachedId: null }

/** The operations that move money, and how their transactions are known. */
const KINDS: Readonly<Record<string, string>> = {
  deposit: `type = 'deposit' and to_account_id is null`,
  withdraw: `type = 'withdrawal'`,
  transfer: `type = 'transfer' and hold_id is null`,
  'capture-hold': `hold_id is not null and to_account_id <> clearing_account_id(currency)`,
  clearing: `to_account_id = clearing_account_id(currency) and reverses is null`,
  'reverse-transaction': `reverses is not null`,
}

const ASKER = 'coalesce(caller_id, user_id)'

/** Reads the transaction that the filter `subject` names. */
export const namedPart: AuditSource = async (db, filters, limit) => {
  const { subject, caller } = filters
  if (subject === undefined || !ANY_UUID.test(subject)) return NOTHING
  const asked = startStatement(filters, limit)
  if (!asked) return NOTHING
  if (caller !== undefined) asked.where.push(`${ASKER} = ${asked.place(caller)}`)
  const walk = `from transactions where id = ${asked.place(subject)} and id >= $1 and id < $2 order by id desc`
  return read(db, asked, { walk, walkedMax: null })
}

/** Reads the transactions that a caller asked for on others' accounts, and those that they were refused. Only
 * with the filter `caller`: without it, they are among all others. */
export const askedPart: AuditSource = async (db, filters, limit) => {
  const { subject, caller } = filters
  if (subject !== undefined || caller === undefined) return NOTHING
  const asked = startStatement(filters, limit)
  if (!asked) return NOTHING
  const place = asked.place(caller)
  // As in storedPart(), so that only the index fits.
  const walk = `from transactions
    where (caller_id is not null or status = 'rejected')
      and ${ASKER} >= ${place} and (${ASKER}, id) < (${place}, $2) and (${ASKER}, id) >= (${place}, $1)
    order by ${ASKER} desc, id desc`
  return read(db, asked, { walk, walkedMax: asked.where.length > 0 ? LOOKED_AT_MAX : null })
}

/** Reads the other transactions: with the filter `caller`, those on the caller's own accounts; otherwise all
 * of them. */
export const ownPart: AuditSource = async (db, filters, limit) => {
  const { subject, caller, owner } = filters
  if (subject !== undefined || (caller !== undefined && owner !== undefined && caller !== owner))
    return NOTHING
  const user = caller ?? owner
  // Nobody owns a transaction before they have an account.
  const since = user === undefined ? FIRST_ID : await firstIdOf(db, user)
  const asked = since && startStatement({ ...filters, owner: user, from: later(filters.from, since) }, limit)
  if (!asked) return NOTHING
  if (caller !== undefined) asked.where.push('caller_id is null')
  const walkedMax = asked.where.length > 0 ? WALKED_MAX : LOOKED_AT_MAX
  asked.where.push(`status <> 'pending'`)
  return read(db, asked, { walk: 'from transactions where id >= $1 and id < $2 order by id desc', walkedMax })
}

interface BegunStatement {
  values: unknown[]
  where: string[]
  /** Adds a value, and returns its place in the statement. */
  place(value: string): string
}

/** Begins a statement, with the filters `operation` and `owner`. Returns undefined if no transaction can pass
 * them. */
function startStatement(
  { from, before, owner, operation }: AuditFilters,
  limit: number,
): BegunStatement | undefined {
  if (operation !== undefined && !Object.hasOwn(KINDS, operation)) return undefined
  const values: unknown[] = [from ?? FIRST_ID, before ?? LAST_ID, limit + 1]
  const place = (value: string): string => `$${values.push(value)}::uuid`
  const where: string[] = []
  if (operation !== undefined) where.push(KINDS[operation]!)
  if (owner !== undefined) where.push(`balance_after is not null and user_id = ${place(owner)}`)
  return { values, where, place }
}

const read = (
  db: Transaction,
  { values, where }: BegunStatement,
  how: Pick<Walk, 'walk' | 'walkedMax'>,
): Promise<AuditPart> =>
  readPart(db, { view: 'audit_of_transactions', where: where.join(' and ') || 'true', values, ...how })

const DAY_MS = 86_400_000

/** Returns an id before those of all transactions on a user's accounts; undefined if they have no account.
 * The clocks of the database and of the functions may differ; a day is more than they ever do. */
async function firstIdOf(db: Transaction, userId: string): Promise<string | undefined> {
  const [row] = await db.query<{ opened_at: Date | null }>({
    name: 'customer-since',
    text: `select min(created_at) as opened_at from accounts where user_id = $1 and kind = 'customer'`,
    values: [userId],
  })
  const openedAt = row?.opened_at
  return openedAt ? firstIdAt(new Date(openedAt.getTime() - DAY_MS).toISOString(), '/owner') : undefined
}

const later = (a: string | undefined, b: string): string => (a !== undefined && a > b ? a : b)

import type { Database } from '../../host/database/database.ts'
import {
  dayOf,
  type AccountStatement,
  type StatementEntry,
  type StatementPages,
  type StatementSeal,
} from './account-statement.ts'

/** Entries are read by their numbers, so no statement holds a snapshot of the database or a cursor open,
 * however slowly its client reads: an entry, once it is there, never changes. */

/** Entries read at once. Each statement that is being sent holds this many in memory. */
export const PAGE_ENTRIES = 1_000
/** Entries summed at once: some 50 ms, of the 8 s that a statement of a function may take. */
const SUMMED_ENTRIES = 200_000

/** A range of an account's entries: those after `after`, up to `upTo`. */
export interface VersionRange {
  accountId: string
  after: bigint
  upTo: bigint
}

export interface StatementRow {
  version: bigint
  created_at: Date
  /** Null: the day of `created_at`. */
  value_date: string | null
  amount: bigint
  balance_after: bigint
  transaction_id: string
  type: string
  description: string | null
  account_id: string
  to_account_id: string | null
  is_fee: boolean
}

/** Returns a query for the entries e that are in a condition, each with its transaction. A transaction has a
 * second entry on the same account only if that is its fee, and posting numbers it next. What belongs to an
 * entry is looked up for each: Postgres would rather read whole tables, if they are small enough. */
export const entriesIn = (condition: string): string => `
  select e.version, e.created_at, e.value_date::text, e.amount, e.balance_after, e.transaction_id,
    t.type, t.description, t.account_id, t.to_account_id,
    coalesce((
      select before.transaction_id = e.transaction_id from entries before
      where before.account_id = e.account_id and before.version = e.version - 1
    ), false) as is_fee
  from entries e
  cross join lateral (select * from transactions t where t.id = e.transaction_id limit 1) t
  where ${condition}`

/** Returns an entry as a statement of the account shows it. */
export function toStatementEntry(row: StatementRow, accountId: string): StatementEntry {
  return {
    version: row.version,
    bookedAt: row.created_at,
    valueDate: row.value_date ?? dayOf(row.created_at),
    amount: row.amount,
    balanceAfter: row.balance_after,
    transactionId: row.transaction_id,
    type: row.type,
    description: row.description,
    counterpartyAccountId: row.account_id === accountId ? row.to_account_id : row.account_id,
    isFee: row.is_fee,
  }
}

/** Finds an entry by its number. */
export async function findEntry(
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

/** Finds the first seal that covers an account's history up to a version. It stays the same for ever; before
 * it is made, and for version 0, there is none. */
export async function findSeal(
  db: Database,
  accountId: string,
  version: bigint,
): Promise<StatementSeal | null> {
  // The first leaf from the version on is also the first in the tree.
  const [row] = await db.query<{ n: bigint; note: string }>({
    name: 'statement-seal',
    text: `select k.n, k.note
      from (
        select leaf from sealed where account_id = $1 and version >= $2 and $2 > 0 order by version limit 1
      ) s
      cross join lateral (select n, note from seals where size > s.leaf order by size limit 1) k`,
    values: [accountId, version],
  })
  return row ?? null
}

/** Reads the entries of a range, in the order of their numbers: all, or those that are in a condition. */
export async function* readEntries(
  db: Database,
  { accountId, after, upTo }: VersionRange,
  condition = 'true',
): StatementPages {
  for (let last = after; last < upTo;) {
    const next = smaller(last + BigInt(PAGE_ENTRIES), upTo)
    // The statement has no name, so Postgres plans it for this range.
    const rows = await db.query<StatementRow>({
      text: `${entriesIn(`e.account_id = $1 and e.version > $2 and e.version <= $3 and ${condition}`)}
        order by e.version`,
      values: [accountId, last, next],
    })
    yield rows.map((row) => toStatementEntry(row, accountId))
    last = next
  }
}

/** The columns of SumRow, of entries e. */
export const sumColumns = `count(*) filter (where e.amount > 0)::text as credits,
  coalesce(sum(e.amount) filter (where e.amount > 0), 0)::text as credited,
  count(*) filter (where e.amount < 0)::text as debits,
  coalesce(-sum(e.amount) filter (where e.amount < 0), 0)::text as debited`

export type SumRow = Record<'credits' | 'credited' | 'debits' | 'debited', string>

/** The sums of a statement. */
export type EntrySums = Pick<AccountStatement, 'credits' | 'debits'>

/** Adds what a query has summed. */
export const addSums = ({ credits, debits }: EntrySums, row: SumRow): EntrySums => ({
  credits: { count: credits.count + Number(row.credits), sum: credits.sum + BigInt(row.credited) },
  debits: { count: debits.count + Number(row.debits), sum: debits.sum + BigInt(row.debited) },
})

/** Sums the entries of a range: all, or those that are in a condition. */
export async function sumEntries(
  db: Database,
  { accountId, after, upTo }: VersionRange,
  condition = 'true',
): Promise<EntrySums> {
  let sums: EntrySums = { credits: { count: 0, sum: 0n }, debits: { count: 0, sum: 0n } }
  for (let last = after; last < upTo;) {
    const next = smaller(last + BigInt(SUMMED_ENTRIES), upTo)
    const [row] = await db.query<SumRow>({
      text: `select ${sumColumns} from entries e
        where e.account_id = $1 and e.version > $2 and e.version <= $3 and ${condition}`,
      values: [accountId, last, next],
    })
    sums = addSums(sums, row!)
    last = next
  }
  return sums
}

/** Passes on the pages of a statement, and checks them against its head: each balance follows from the one
 * before, and the last one is the closing balance. Throws an Error otherwise; then the books are damaged, and
 * no statement may look complete. */
export async function* checked(statement: AccountStatement, pages: StatementPages): StatementPages {
  let balance = statement.opening
  let count = 0
  for await (const page of pages) {
    for (const { version, amount, balanceAfter } of page) {
      balance += amount
      if (balance !== balanceAfter)
        throw new Error(`entry ${version} of ${statement.account.id} does not follow from the one before`)
    }
    count += page.length
    yield page
  }
  const { closing, credits, debits } = statement
  if (balance !== closing || count !== credits.count + debits.count)
    throw new Error(`the entries of ${statement.account.id} do not add up to its closing balance`)
}

/** Returns the smaller of two numbers. */
export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)

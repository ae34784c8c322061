import type { Database } from '../../host/database/database.ts'
import {
  dayOf,
  type AccountStatement,
  type EntrySum,
  type StatementEntry,
  type StatementPages,
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

export interface EntryRow {
  version: bigint
  created_at: Date
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
  select e.version, e.created_at, e.amount, e.balance_after, e.transaction_id,
    t.type, t.description, t.account_id, t.to_account_id,
    coalesce((
      select before.transaction_id = e.transaction_id from entries before
      where before.account_id = e.account_id and before.version = e.version - 1
    ), false) as is_fee
  from entries e
  cross join lateral (select * from transactions t where t.id = e.transaction_id limit 1) t
  where ${condition}`

/** Returns an entry as a statement of the account shows it. */
export function toStatementEntry(row: EntryRow, accountId: string): StatementEntry {
  return {
    version: row.version,
    bookedAt: row.created_at,
    valueDate: dayOf(row.created_at),
    amount: row.amount,
    balanceAfter: row.balance_after,
    transactionId: row.transaction_id,
    type: row.type,
    description: row.description,
    counterpartyAccountId: row.account_id === accountId ? row.to_account_id : row.account_id,
    isFee: row.is_fee,
  }
}

/** Reads the entries of a range, in the order of their numbers. */
export async function* readEntries(db: Database, { accountId, after, upTo }: VersionRange): StatementPages {
  for (let last = after; last < upTo;) {
    const next = smaller(last + BigInt(PAGE_ENTRIES), upTo)
    // The statement has no name, so Postgres plans it for this range.
    const rows = await db.query<EntryRow>({
      text: `${entriesIn('e.account_id = $1 and e.version > $2 and e.version <= $3')} order by e.version`,
      values: [accountId, last, next],
    })
    yield rows.map((row) => toStatementEntry(row, accountId))
    last = next
  }
}

/** Sums the entries of a range. */
export async function sumEntries(
  db: Database,
  { accountId, after, upTo }: VersionRange,
): Promise<{ credits: EntrySum; debits: EntrySum }> {
  const credits = { count: 0, sum: 0n }
  const debits = { count: 0, sum: 0n }
  for (let last = after; last < upTo;) {
    const next = smaller(last + BigInt(SUMMED_ENTRIES), upTo)
    const [row] = await db.query<Record<'credits' | 'credited' | 'debits' | 'debited', string>>({
      text: `select count(*) filter (where amount > 0)::text as credits,
          coalesce(sum(amount) filter (where amount > 0), 0)::text as credited,
          count(*) filter (where amount < 0)::text as debits,
          coalesce(-sum(amount) filter (where amount < 0), 0)::text as debited
        from entries where account_id = $1 and version > $2 and version <= $3`,
      values: [accountId, last, next],
    })
    credits.count += Number(row!.credits)
    credits.sum += BigInt(row!.credited)
    debits.count += Number(row!.debits)
    debits.sum += BigInt(row!.debited)
    last = next
  }
  return { credits, debits }
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

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)

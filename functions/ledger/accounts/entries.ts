import { invalidCursor } from '../../host/database/paging.ts'
import type { Database } from '../../host/database/database.ts'
import { orNull, uuidSchema } from '../../host/schema.ts'
import { invalidWords } from '../transactions/search.ts'
import { decode, encode, isNoFee, LOOKED_AT_MAX, type PageWanted } from '../transactions/transaction-lists.ts'
import { transactionTypes, type TransactionRow } from '../transactions/transaction.ts'
import { formatAmount } from '../../host/values/money.ts'
import type { AccountRow } from './account.ts'
import { counterpartyOf, counterpartySchema, toCounterparty } from './counterparty.ts'

export const entrySchema = {
  title: 'Entry',
  type: 'object',
  additionalProperties: false,
  required: [
    'version',
    'amount',
    'balance_after',
    'currency',
    'hash',
    'previous_hash',
    'value_date',
    'timestamp',
    'transaction_id',
    'transaction_type',
    'description',
    'counterparty_account_id',
    'counterparty',
  ],
  properties: {
    // Entries of an account are numbered from 1 without gaps.
    version: { type: 'integer' },
    // Negative if the money left the account.
    amount: { type: 'string' },
    balance_after: { type: 'string' },
    currency: { type: 'string' },
    // Hexadecimal. The first entry follows a hash of zeros.
    hash: { type: 'string' },
    previous_hash: { type: 'string' },
    // The day from which the money counts.
    value_date: { type: 'string', format: 'date' },
    timestamp: { type: 'string', format: 'date-time' },
    transaction_id: uuidSchema,
    transaction_type: { enum: transactionTypes },
    description: orNull({ type: 'string' }),
    // The other account; null if it is one of the bank's own.
    counterparty_account_id: orNull(uuidSchema),
    counterparty: orNull(counterpartySchema),
  },
} as const

interface EntryFilters {
  type: TransactionRow['type'] | undefined
  from: Date | undefined
  to: Date | undefined
  query: string | undefined
}

interface ListedEntryRow {
  version: bigint
  amount: bigint
  balance_after: bigint
  hash: string
  previous_hash: string
  /** YYYY-MM-DD; null for the day of `created_at`. */
  value_date: string | null
  created_at: Date
  transaction_id: string
  type: TransactionRow['type']
  description: string | null
  counterparty_id: string | null
  counterparty_number: bigint | null
  /** Null if the other account is not the same customer's. */
  counterparty_name: string | null
}

const lastBefore = (moment: string): string =>
  `version_at(a, ${moment}::timestamptz - interval '1 microsecond')`

// The statement has no name, so Postgres plans it for the filters given. The bank gets the fees.
const pageText = `
  with bounds as materialized (
    select
      least(
        coalesce($2::bigint - 1, a.version), case when $4::timestamptz is not null then ${lastBefore('$4')} end
      ) as newest,
      case when $3::timestamptz is null then 0 else ${lastBefore('$3')} end as oldest
    from accounts a where a.id = $1
  ),
  part as materialized (
    select newest, oldest,
      case when num_nonnulls($5::transaction_type, $6::text[], $7::text) = 0 then oldest
        else greatest(oldest, newest - ${LOOKED_AT_MAX}) end as lowest
    from bounds
  )
  select e.*, other.number as counterparty_number,
    case when other.user_id = (select user_id from accounts where id = $1) then other.name end as counterparty_name,
    case when part.lowest > part.oldest then part.lowest + 1 end as reached
  from part left join lateral (
    select e.version, e.amount, e.balance_after, encode(e.hash, 'hex') as hash, e.value_date::text, e.created_at,
      coalesce(encode(before.hash, 'hex'), repeat('00', 32)) as previous_hash,
      e.transaction_id, t.type, t.description,
      case
        when not ${isNoFee} then null
        when t.account_id = $1 then t.to_account_id
        else t.account_id
      end as counterparty_id
    from entries e
    join transactions t on t.id = e.transaction_id
    left join entries before on before.account_id = $1 and before.version = e.version - 1
    where e.account_id = $1 and e.version > part.lowest and e.version <= part.newest
      and ($5 is null or t.type = $5)
      and ($6 is null or has_text(t.description, null, $6, $7, null))
    order by e.version desc limit $8
  ) e on true
  ${counterpartyOf('e.counterparty_id')}
  order by e.version desc`

type ListedEntry = (ListedEntryRow | { version: null }) & { reached: bigint | null }

/** Lists entries of an account, newest first. With filters, a page looks at two thousand entries at most; it
 * can be short, even empty, and still have a next_cursor. Throws a ProblemError (400) for a query without
 * letters and digits, and for a cursor that is not ours. */
export async function listEntries(
  db: Database,
  account: Pick<AccountRow, 'id' | 'currency'>,
  { type, from, to, query }: EntryFilters,
  { cursor, limit }: PageWanted,
) {
  const [words, prefix] = query === undefined ? [] : await readWords(db, query)
  const before = cursor === undefined ? undefined : readVersion(cursor)
  const found = await db.query<ListedEntry>({
    text: pageText,
    values: [account.id, before, from, to, type, words, prefix, limit + 1],
  })
  const rows = found.filter((row): row is ListedEntry & ListedEntryRow => row.version !== null)
  const last = rows.length > limit ? rows[limit - 1]!.version : found[0]?.reached
  return {
    items: rows.slice(0, limit).map((row) => toEntry(row, account.currency)),
    next_cursor: last ? encode([String(last)]) : null,
  }
}

async function readWords(db: Database, query: string): Promise<[words: string[], prefix: string | null]> {
  const [asked] = await db.query<{ words: string[]; prefix: string | null }>({
    name: 'words-asked',
    text: 'select words, prefix from plan_search($1, null)',
    values: [query],
  })
  const { words, prefix } = asked!
  if (words.length === 0 && prefix === null) throw invalidWords()
  return [words, prefix]
}

function readVersion(cursor: string): string {
  const version = decode(cursor)
  if (!/^[1-9]\d{0,17}$/.test(version)) throw invalidCursor()
  return version
}

function toEntry(row: ListedEntryRow, currency: string) {
  const timestamp = row.created_at.toISOString()
  return {
    version: Number(row.version),
    amount: formatAmount(row.amount, currency),
    balance_after: formatAmount(row.balance_after, currency),
    currency,
    hash: row.hash,
    previous_hash: row.previous_hash,
    value_date: row.value_date ?? timestamp.slice(0, 10),
    timestamp,
    transaction_id: row.transaction_id,
    transaction_type: row.type,
    description: row.description,
    counterparty_account_id: row.counterparty_id,
    counterparty: toCounterparty(row),
  }
}

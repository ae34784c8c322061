import type { Database } from '../../host/database/database.ts'
import type { Caller } from '../../host/route-request.ts'
import { orNull, uuidSchema } from '../../host/schema.ts'
import { formatAmount } from '../../host/values/money.ts'
import { ownerSeenBy } from '../accounts/account.ts'
import type { TransactionRow } from '../transactions/transaction.ts'
import { transactionColumns } from '../transactions/transaction-lists.ts'

/** A transaction with what the ledger knows of its life. */
export interface LifeRow extends TransactionRow {
  trace_id: string | null
  /** When it was asked for. */
  asked_at: Date
  /** Attempts to publish its event; null if it is published, or there is none. */
  publishing_attempts: number | null
}

/** Reads a transaction that the caller may see. */
export async function findLife(db: Database, id: string, caller: Caller): Promise<LifeRow | undefined> {
  const [row] = await db.query<LifeRow>({
    name: 'life-find',
    // An id is made when the transaction is asked for. The row of an order is written anew when it is posted.
    text: `select ${transactionColumns}, t.trace_id,
        least(coalesce(uuid_extract_timestamp(t.id), t.created_at), t.created_at) as asked_at,
        (select max(p.attempts) from outbox_pending p where event_id_of(t.id) = any (p.event_ids))
          as publishing_attempts
      from transactions t
      where t.id = $1 and ($2::uuid is null or $2 in (t.user_id, t.to_user_id))`,
    values: [id, ownerSeenBy(caller)],
  })
  return row
}

export const bookedSchema = {
  title: 'BookedEntry',
  type: 'object',
  additionalProperties: false,
  required: ['account_id', 'version', 'amount', 'balance_after', 'hash', 'previous_hash', 'is_chained'],
  properties: {
    account_id: uuidSchema,
    version: { type: 'integer' },
    amount: { type: 'string' },
    balance_after: { type: 'string' },
    hash: { type: 'string' },
    previous_hash: orNull({ type: 'string' }),
    is_chained: { type: 'boolean', description: 'Whether its hash follows from the entry before it.' },
  },
} as const

interface EntryRow {
  account_id: string
  version: bigint
  amount: bigint
  balance_after: bigint
  hash: Buffer
  previous_hash: Buffer | null
  is_chained: boolean
}

/** Reads all entries of a transaction, also those of the bank, and their sum. They have no index by
 * transaction: they are found by their accounts and their time. */
export async function entriesOf(db: Database, { id, currency }: LifeRow) {
  const rows = await db.query<EntryRow>({
    name: 'life-entries',
    text: `select e.account_id, e.version, e.amount, e.balance_after, e.hash, before.hash as previous_hash,
        e.hash = entry_hash(coalesce(before.hash, decode(repeat('00', 32), 'hex')), e.account_id, e.version,
          e.transaction_id, e.amount, e.balance_after, e.created_at, e.value_date) as is_chained
      from transactions t
      cross join lateral (
        select account_id as id, min(place) as place
        from unnest(array[t.account_id, t.to_account_id, cash_account_id(t.currency),
          clearing_account_id(t.currency), fees_account_id(t.currency)]) with ordinality a (account_id, place)
        group by account_id
      ) named
      join accounts a on a.id = named.id
      cross join lateral (
        select * from entries e
        where e.account_id = a.id and e.transaction_id = t.id
          and e.version > (select version_at(a, t.created_at - interval '1 microsecond'))
          and e.version <= (select version_at(a, t.created_at))
      ) e
      left join lateral (
        select hash from entries b where b.account_id = e.account_id and b.version = e.version - 1
      ) before on true
      where t.id = $1
      order by named.place, e.version`,
    values: [id],
  })
  const sum = rows.reduce((all, { amount }) => all + amount, 0n)
  const entries = rows.map((row) => ({
    ...row,
    version: Number(row.version),
    amount: formatAmount(row.amount, currency),
    balance_after: formatAmount(row.balance_after, currency),
    hash: row.hash.toString('hex'),
    previous_hash: row.previous_hash?.toString('hex') ?? null,
  }))
  return { entries, sum: formatAmount(sum, currency) }
}

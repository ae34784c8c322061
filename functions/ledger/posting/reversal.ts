import type { Database } from '../../host/database/database.ts'
import type { TransactionRow } from '../transactions/transaction.ts'
import { toPosting, type Asked, type PostingRequest } from './posting-request.ts'

type ReversedRow = Pick<TransactionRow, 'account_id' | 'to_account_id' | 'amount' | 'currency'> & {
  counts_from: string
  is_pending: boolean
  is_credit: boolean
}

/** Returns the posting that reverses a transaction; undefined if there is none with this id, 'pending' if it
 * waits to be posted: then its day and its fee are not known yet.
 *
 * The posting counts from the day from which the transaction counted, so a corrected month looks as if
 * nothing had happened.
 *
 * What it takes from the transaction never changes. Whether the transaction can still be reversed is checked
 * when the reversal is posted. */
export async function toReversal(
  db: Database,
  transactionId: string,
  reason: string,
  asked: Asked,
): Promise<PostingRequest | 'pending' | undefined> {
  const [row] = await db.query<ReversedRow>({
    name: 'transaction-to-reverse',
    text: `with recursive chain as (
        select t.*, 0 as depth from transactions t where t.id = $1
        union all
        select t.*, c.depth + 1 from chain c join transactions t on t.id = c.reverses
      )
      select t.account_id, t.to_account_id, t.amount, t.currency,
        coalesce(t.value_date, (t.created_at at time zone 'UTC')::date)::text as counts_from,
        t.status = 'pending' as is_pending,
        -- A reversal moves the money the other way than what it reverses; so does the reversal of a reversal.
        (first.type = 'deposit') = (first.depth % 2 = 0) as is_credit
      from chain t, (select type, depth from chain order by depth desc limit 1) first
      where t.depth = 0`,
    values: [transactionId],
  })
  if (!row) return undefined
  if (row.is_pending) return 'pending'
  const movement = {
    account_id: row.account_id,
    to_account_id: row.to_account_id,
    currency: row.currency,
    description: reason,
    value_date: row.counts_from,
  }
  return {
    ...toPosting('reversal', movement, row.amount, asked),
    reverses: transactionId.toLowerCase(),
    is_debit: row.is_credit,
  }
}

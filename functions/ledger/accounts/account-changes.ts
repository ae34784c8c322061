import type { Database } from '../../host/database/database.ts'
import type { Caller } from '../../host/route-request.ts'
import { uuidSchema } from '../../host/schema.ts'
import { formatAmount } from '../../host/values/money.ts'
import type { AccountRow } from './account.ts'

const changeFields = ['status', 'overdraft_limit'] as const

export const accountChangeSchema = {
  title: 'AccountChange',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'timestamp', 'by', 'user_id', 'field', 'from', 'to', 'reason'],
  properties: {
    id: uuidSchema,
    timestamp: { type: 'string', format: 'date-time' },
    by: { enum: ['owner', 'bank'] },
    // Null if it is an operator and the caller is not.
    user_id: { anyOf: [uuidSchema, { type: 'null' }] },
    field: { enum: changeFields },
    from: { type: 'string' },
    to: { type: 'string' },
    reason: { type: ['string', 'null'] },
  },
} as const

/** A change of an account as stored in the database. */
export interface AccountChangeRow {
  id: string
  at: Date
  /** The user who asked for it. */
  by: string
  field: (typeof changeFields)[number]
  /** Overdraft limits are in minor units. */
  from: string
  to: string
  reason: string | null
}

/** Reads changes of an account, newest first: at most `count` of those before the one with the id
 * `before`. */
export const readChanges = (
  db: Database,
  accountId: string,
  { before, count }: { before: string | undefined; count: number },
): Promise<AccountChangeRow[]> =>
  db.query<AccountChangeRow>({
    name: 'account-changes',
    text: `select id, at, by, field, "from", "to", reason from account_changes
      where account_id = $1 and ($2::uuid is null
        or version < (select version from account_changes where id = $2 and account_id = $1))
      order by version desc limit $3`,
    values: [accountId, before, count],
  })

/** Returns a change as the API shows it to a caller. Customers don't learn which operator it was. */
export const toAccountChange = (account: AccountRow, caller: Caller) => (row: AccountChangeRow) => {
  const isOwner = row.by === account.user_id
  const show = (value: string): string =>
    row.field === 'overdraft_limit' ? formatAmount(BigInt(value), account.currency) : value
  return {
    id: row.id,
    timestamp: row.at.toISOString(),
    by: isOwner ? 'owner' : 'bank',
    user_id: isOwner || caller.role === 'operator' ? row.by : null,
    field: row.field,
    from: show(row.from),
    to: show(row.to),
    reason: row.reason,
  }
}

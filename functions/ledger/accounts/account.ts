import type { Transaction } from '../../host/database/database.ts'
import type { Caller } from '../../host/route-request.ts'
import { orNull, uuidSchema, WORDS } from '../../host/schema.ts'
import { formatAmount } from '../../host/values/money.ts'

export const accountTypes = ['checking', 'savings'] as const
export const accountStatuses = ['open', 'frozen', 'closed'] as const

/** What an owner may call an account. */
export const accountNameSchema = {
  'x-personal': true,
  type: 'string',
  minLength: 1,
  maxLength: 60,
  pattern: WORDS,
} as const

export const accountSchema = {
  title: 'Account',
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'user_id',
    'number',
    'name',
    'account_type',
    'currency',
    'status',
    'balance',
    'held',
    'available',
    'overdraft_limit',
    'created_at',
  ],
  properties: {
    id: uuidSchema,
    user_id: uuidSchema,
    // What others pay to: ten digits and two check digits.
    number: { type: 'string' },
    // What the owner calls it.
    name: orNull({ type: 'string' }),
    account_type: { enum: accountTypes },
    currency: { type: 'string' },
    status: { enum: accountStatuses },
    balance: { type: 'string' },
    // Sum of the open holds.
    held: { type: 'string' },
    available: { type: 'string' },
    overdraft_limit: { type: 'string' },
    created_at: { type: 'string', format: 'date-time' },
  },
} as const

/** A customer's account as stored in the database. Amounts are in minor units. */
export interface AccountRow {
  id: string
  user_id: string
  number: bigint
  name: string | null
  account_type: (typeof accountTypes)[number]
  currency: string
  status: (typeof accountStatuses)[number]
  balance: bigint
  held: bigint
  overdraft_limit: bigint
  created_at: Date
}

export const accountColumns =
  'id, user_id, number, name, account_type, currency, status, balance, held, overdraft_limit, created_at'

/** Returns the available balance: what can be taken from the account now, in minor units. */
export const available = (row: AccountRow): bigint => row.balance - row.held + row.overdraft_limit

/** Returns an account as the API shows it. */
export const toAccount = (row: AccountRow) => ({
  id: row.id,
  user_id: row.user_id,
  number: String(row.number),
  name: row.name,
  account_type: row.account_type,
  currency: row.currency,
  status: row.status,
  balance: formatAmount(row.balance, row.currency),
  held: formatAmount(row.held, row.currency),
  available: formatAmount(available(row), row.currency),
  overdraft_limit: formatAmount(row.overdraft_limit, row.currency),
  created_at: row.created_at.toISOString(),
})

/** Returns the user whose accounts and transactions a caller may see: the caller; undefined for operators,
 * who see everybody's. */
export const ownerSeenBy = (caller: Caller): string | undefined =>
  caller.role === 'operator' ? undefined : caller.userId

/** Finds the customer account with this id; undefined if there is none, or the caller may not see it. */
export async function findAccount(
  tx: Transaction,
  id: string,
  caller: Caller,
): Promise<AccountRow | undefined> {
  const [row] = await tx.query<AccountRow>({
    name: 'account-find',
    text: `select ${accountColumns} from accounts
      where id = $1 and kind = 'customer' and ($2::uuid is null or user_id = $2)`,
    values: [id, ownerSeenBy(caller)],
  })
  return row
}

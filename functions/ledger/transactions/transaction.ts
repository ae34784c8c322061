import type { TransactionType } from '../../../eventing/contracts/fields.ts'
import type { Caller } from '../../host/route-request.ts'
import { uuidSchema } from '../../host/schema.ts'
import { formatAmount } from '../values/money.ts'

export const transactionTypes = ['deposit', 'withdrawal', 'transfer'] as const satisfies TransactionType[]

export const transactionStatuses = ['completed', 'pending', 'rejected', 'reversed'] as const
export type TransactionStatus = (typeof transactionStatuses)[number]

export const amountSchema = { anyOf: [{ type: 'string', maxLength: 40 }, { type: 'number' }] } as const
export const currencySchema = { type: 'string', pattern: '^[A-Z]{3}$', default: 'USD' } as const

// Control characters don't belong on statements, and Postgres stores neither NUL nor half a surrogate pair.
const TEXT = '^[^\\p{Cc}\\p{Cs}]*$'

const shortText = { type: 'string', maxLength: 500, pattern: TEXT } as const

/** Fields of the body that deposits, withdrawals and transfers share. */
export const moneyFields = {
  account_id: uuidSchema,
  amount: amountSchema,
  currency: currencySchema,
  description: shortText,
  metadata: {
    type: 'object',
    maxProperties: 50,
    propertyNames: { maxLength: 100, pattern: TEXT },
    additionalProperties: { anyOf: [shortText, { type: ['number', 'boolean', 'null'] }] },
  },
} as const

const orNull = <const Schema>(schema: Schema) => ({ anyOf: [schema, { type: 'null' }] }) as const

export const transactionSchema = {
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'type',
    'status',
    'account_id',
    'to_account_id',
    'amount',
    'currency',
    'description',
    'metadata',
    'balance_after',
    'timestamp',
  ],
  properties: {
    id: uuidSchema,
    type: { enum: transactionTypes },
    status: { enum: transactionStatuses },
    account_id: uuidSchema,
    to_account_id: orNull(uuidSchema),
    amount: { type: 'string' },
    currency: { type: 'string' },
    description: orNull({ type: 'string' }),
    metadata: orNull({ type: 'object' }),
    balance_after: orNull({ type: 'string' }),
    timestamp: { type: 'string', format: 'date-time' },
  },
} as const

/** A transaction as stored in the database. Amounts are in minor units. */
export interface TransactionRow {
  id: string
  type: TransactionType
  status: TransactionStatus
  account_id: string
  to_account_id: string | null
  amount: bigint
  currency: string
  description: string | null
  metadata: Record<string, unknown> | null
  balance_after: bigint | null
  created_at: Date
  /** Owner of `account_id`. */
  user_id?: string
}

/** Returns a transaction as the API shows it. Only the owner of `account_id` and operators see
 * `balance_after`: a payee must not learn the payer's balance. */
export function toTransaction(row: TransactionRow, caller: Caller) {
  const seesBalance = caller.role === 'operator' || row.user_id === undefined || row.user_id === caller.userId
  return {
    id: row.id,
    type: row.type,
    status: row.status,
    account_id: row.account_id,
    to_account_id: row.to_account_id,
    amount: formatAmount(row.amount, row.currency),
    currency: row.currency,
    description: row.description,
    metadata: row.metadata,
    balance_after:
      seesBalance && row.balance_after !== null ? formatAmount(row.balance_after, row.currency) : null,
    timestamp: row.created_at.toISOString(),
  }
}

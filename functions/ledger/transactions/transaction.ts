import type { TransactionType } from '../../../eventing/contracts/fields.ts'
import { eventIdOf } from '../../../eventing/outbox-event.ts'
import type { Caller } from '../../host/route-request.ts'
import { orNull, shortText, TEXT, uuidSchema } from '../../host/schema.ts'
import { amountSchema, currencySchema, formatAmount } from '../../host/values/money.ts'
import { counterpartySchema, toCounterparty } from '../accounts/counterparty.ts'

/** The types that a caller can post. */
export const postedTypes = ['deposit', 'withdrawal', 'transfer'] as const satisfies TransactionType[]

/** A reversal has the accounts of the transaction that it reverses; its money goes the other way. */
export const transactionTypes = [...postedTypes, 'reversal'] as const

export const transactionStatuses = ['completed', 'pending', 'rejected', 'reversed'] as const
export type TransactionStatus = (typeof transactionStatuses)[number]

/** Beyond it, JavaScript would keep another number than the one that was sent, and say nothing. */
const exactNumber = {
  type: 'number',
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
} as const

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
    additionalProperties: { anyOf: [shortText, exactNumber, { type: ['boolean', 'null'] }] },
  },
} as const

/** The day from which the money of a deposit or withdrawal counts. Only operators may give it. Postgres has
 * no year 0. */
export const valueDateField = {
  value_date: { type: 'string', format: 'date', pattern: '^(?!0000)' },
} as const

export const transactionSchema = {
  title: 'Transaction',
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
    'value_date',
    'fee',
    'hold_id',
    'reverses',
    'reversed_by',
    'refusal',
    'event_id',
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
    // The day from which the money counts.
    value_date: { type: 'string', format: 'date' },
    // What the owner of account_id paid for it.
    fee: orNull({ type: 'string' }),
    // The hold that it captured.
    hold_id: orNull(uuidSchema),
    reverses: orNull(uuidSchema),
    reversed_by: orNull(uuidSchema),
    // Name of the refusal, if it is rejected.
    refusal: orNull({ type: 'string' }),
    // The event that told its outcome; null while it is pending.
    event_id: orNull(uuidSchema),
    timestamp: { type: 'string', format: 'date-time' },
  },
} as const

/** A transaction by itself, with what lists leave out. */
export const transactionDetailSchema = {
  ...transactionSchema,
  title: 'TransactionDetail',
  required: [...transactionSchema.required, 'trace_id', 'counterparty'],
  properties: {
    ...transactionSchema.properties,
    // Trace of the request, in 32 hexadecimal digits.
    trace_id: orNull({ type: 'string' }),
    counterparty: orNull(counterpartySchema),
  },
} as const

/** A transaction as stored in the database. Amounts are in minor units. */
export interface TransactionRow {
  id: string
  type: TransactionType | 'reversal'
  status: TransactionStatus
  account_id: string
  to_account_id: string | null
  amount: bigint
  currency: string
  description: string | null
  metadata: Record<string, unknown> | null
  balance_after: bigint | null
  created_at: Date
  /** YYYY-MM-DD; null for the day of `created_at`. */
  value_date: string | null
  fee: bigint | null
  hold_id: string | null
  reverses: string | null
  reversed_by: string | null
  refusal: string | null
  /** Owner of `account_id`. */
  user_id?: string
}

/** A transaction with what is shown of it alone. */
export interface TransactionDetailRow extends TransactionRow {
  trace_id: string | null
  counterparty_number: bigint | null
  counterparty_name: string | null
}

/** Owner of transactions that are the bank's own, which no event tells. */
const NOBODY = '00000000-0000-0000-0000-000000000000'

/** Returns the id of the event that told a transaction's outcome; null as long as there is none. */
export const eventOf = ({
  id,
  status,
  user_id: owner,
}: Pick<TransactionRow, 'id' | 'status' | 'user_id'>): string | null =>
  status === 'pending' || owner === NOBODY ? null : eventIdOf(id)

const seesPayer = ({ user_id: owner }: TransactionRow, caller: Caller): boolean =>
  caller.role === 'operator' || owner === undefined || owner === caller.userId

/** Returns a transaction as the API shows it. Only the owner of `account_id` and operators see
 * `balance_after`, the fee and the hold: a payee must not learn the payer's balance. */
export function toTransaction(row: TransactionRow, caller: Caller) {
  const seesBalance = seesPayer(row, caller)
  const timestamp = row.created_at.toISOString()
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
    value_date: row.value_date ?? timestamp.slice(0, 10),
    fee: seesBalance && row.fee !== null ? formatAmount(row.fee, row.currency) : null,
    hold_id: seesBalance ? row.hold_id : null,
    reverses: row.reverses,
    reversed_by: row.reversed_by,
    refusal: row.refusal,
    event_id: eventOf(row),
    timestamp,
  }
}

/** Returns a transaction as the API shows it alone. Only who sees the balance sees the trace. */
export const toTransactionDetail = (row: TransactionDetailRow, caller: Caller) => ({
  ...toTransaction(row, caller),
  trace_id: seesPayer(row, caller) ? (row.trace_id?.replaceAll('-', '') ?? null) : null,
  counterparty: toCounterparty(row),
})

import type { EventContract } from './contract.ts'
import {
  amount,
  calendarDateOrNull,
  currency,
  role,
  textOrNull,
  timestamp,
  transactionType,
  uuid,
  uuidOrNull,
  type Amount,
  type CalendarDate,
  type Currency,
  type Role,
  type Timestamp,
  type TransactionType,
  type Uuid,
} from './fields.ts'

/** Goes to the Broker before anything is posted. */
export interface TransactionRequested {
  /** The id that the transaction will have. */
  transaction_id: Uuid
  transaction_type: TransactionType
  /** Id of the user that requested the transaction. */
  requested_by: Uuid
  /** The role in which they requested it. */
  role: Role
  account_id: Uuid
  /** The account that a transfer is to go to; null for other types. */
  to_account_id: Uuid | null
  amount: Amount
  currency: Currency
  /** What the caller wrote about the transaction; null if nothing. */
  description: string | null
  /** The caller's own JSON object, stored with the transaction; null if there is none. */
  metadata: Record<string, unknown> | null
  /** The day from which the money is to count; null for the day of the posting. */
  value_date: CalendarDate | null
  /** When the transaction was requested. */
  timestamp: Timestamp
}

export const transactionRequested: EventContract<TransactionRequested> = {
  type: 'transaction.requested',
  version: 1,
  context: 'ledger',
  description: 'A transaction was requested with "Prefer: respond-async" and is to be posted.',
  attributes: {
    transactiontype: {
      description: 'The same as transaction_type.',
      schema: transactionType,
      example: 'transfer',
    },
    // See functions/ledger/posting/request-signature.ts.
    ordersignature: {
      description: 'The ledger’s own signature of the order: it has checked who asked.',
      schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' },
      example: 'p4zHR9rJ0pVnRUhw7jBTmwB4vN4dAmJvKJ7cQn0m0fE',
    },
  },
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'transaction_id',
      'transaction_type',
      'requested_by',
      'role',
      'account_id',
      'to_account_id',
      'amount',
      'currency',
      'description',
      'metadata',
      'value_date',
      'timestamp',
    ],
    properties: {
      transaction_id: uuid,
      transaction_type: transactionType,
      requested_by: uuid,
      role,
      account_id: uuid,
      to_account_id: uuidOrNull,
      amount,
      currency,
      description: textOrNull,
      metadata: { type: ['object', 'null'] },
      value_date: calendarDateOrNull,
      timestamp,
    },
  },
  example: {
    transaction_id: '01936f0a-99d2-7b1a-a1a4-2f0f6a1c9b55',
    transaction_type: 'transfer',
    requested_by: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    role: 'customer',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    to_account_id: '01936f0a-9012-7a01-b7aa-51d3c2b1a044',
    amount: '200.00',
    currency: 'USD',
    description: 'rent',
    metadata: null,
    value_date: null,
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

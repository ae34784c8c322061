import type { EventContract } from './contract.ts'
import {
  amount,
  currency,
  text,
  textOrNull,
  timestamp,
  transactionType,
  uuid,
  uuidOrNull,
  type Amount,
  type Currency,
  type Timestamp,
  type TransactionType,
  type Uuid,
} from './fields.ts'

/** Only for transactions requested with `Prefer: respond-async`; others are refused in the answer itself. */
export interface TransactionRejected {
  transaction_id: Uuid
  transaction_type: TransactionType
  /** Id of the user that requested the transaction. */
  user_id: Uuid
  account_id: Uuid
  /** The account that a transfer would have gone to; null for other types. */
  to_account_id: Uuid | null
  amount: Amount
  currency: Currency
  /** What the caller wrote about the transaction; null if nothing. */
  description: string | null
  /** Why: the last part of the `type` of the problem that the answer would have been, for example
   * `insufficient-funds`. */
  refusal: string
  /** When the transaction was refused. */
  timestamp: Timestamp
}

export const transactionRejected: EventContract<TransactionRejected> = {
  type: 'transaction.rejected',
  version: 1,
  context: 'ledger',
  description: 'A transaction that was requested with "Prefer: respond-async" was refused.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'transaction_id',
      'transaction_type',
      'user_id',
      'account_id',
      'to_account_id',
      'amount',
      'currency',
      'description',
      'refusal',
      'timestamp',
    ],
    properties: {
      transaction_id: uuid,
      transaction_type: transactionType,
      user_id: uuid,
      account_id: uuid,
      to_account_id: uuidOrNull,
      amount,
      currency,
      description: textOrNull,
      refusal: text,
      timestamp,
    },
  },
  example: {
    transaction_id: '01936f0a-99d2-7b1a-a1a4-2f0f6a1c9b55',
    transaction_type: 'transfer',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    to_account_id: '01936f0a-9012-7a01-b7aa-51d3c2b1a044',
    amount: '200.00',
    currency: 'USD',
    description: 'rent',
    refusal: 'insufficient-funds',
    timestamp: '2026-01-05T09:30:01.000Z',
  },
}

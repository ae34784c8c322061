import type { EventContract } from './contract.ts'
import {
  amountOrNull,
  currency,
  signedAmount,
  signedAmountOrNull,
  textOrNull,
  timestamp,
  transactionType,
  uuid,
  uuidOrNull,
  type Amount,
  type Currency,
  type SignedAmount,
  type Timestamp,
  type TransactionType,
  type Uuid,
} from './fields.ts'

export interface TransactionCompleted {
  transaction_id: Uuid
  transaction_type: TransactionType
  /** Owner of `account_id`. */
  user_id: Uuid
  /** The account whose balance changed; of a transfer the one that paid. */
  account_id: Uuid
  /** The account that a transfer went to; null for other types. */
  to_account_id: Uuid | null
  /** Owner of `to_account_id`; null if that is null. */
  to_user_id: Uuid | null
  /** The money that was moved, above zero for each type. */
  amount: SignedAmount
  /** Currency of the amount and of both balances. */
  currency: Currency
  /** What the owner of `account_id` paid for it; null if nothing. It is not part of the amount. */
  fee: Amount | null
  /** Balance of `account_id` after this transaction. */
  new_balance: SignedAmount
  /** Balance of `to_account_id` after this transaction; null if that is null. */
  to_new_balance: SignedAmount | null
  /** What the caller wrote about the transaction; null if nothing. */
  description: string | null
  /** When the transaction was posted. */
  timestamp: Timestamp
}

export const transactionCompleted: EventContract<TransactionCompleted> = {
  type: 'transaction.completed',
  version: 1,
  context: 'ledger',
  description: 'Money was moved. The event holds all that a consumer needs, so no consumer has to call back.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'transaction_id',
      'transaction_type',
      'user_id',
      'account_id',
      'to_account_id',
      'to_user_id',
      'amount',
      'currency',
      'fee',
      'new_balance',
      'to_new_balance',
      'description',
      'timestamp',
    ],
    properties: {
      transaction_id: uuid,
      transaction_type: transactionType,
      user_id: uuid,
      account_id: uuid,
      to_account_id: uuidOrNull,
      to_user_id: uuidOrNull,
      amount: signedAmount,
      currency,
      fee: amountOrNull,
      new_balance: signedAmount,
      to_new_balance: signedAmountOrNull,
      description: textOrNull,
      timestamp,
    },
  },
  example: {
    transaction_id: '01936f0a-99d2-7b1a-a1a4-2f0f6a1c9b55',
    transaction_type: 'deposit',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    to_account_id: null,
    to_user_id: null,
    amount: '200.00',
    currency: 'USD',
    fee: null,
    new_balance: '900.00',
    to_new_balance: null,
    description: null,
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

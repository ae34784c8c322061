import type { EventContract } from './contract.ts'
import {
  amount,
  currency,
  signedAmount,
  signedAmountOrNull,
  textOrNull,
  timestamp,
  uuid,
  uuidOrNull,
  type Amount,
  type Currency,
  type SignedAmount,
  type Timestamp,
  type Uuid,
} from './fields.ts'

export interface TransactionReversed {
  /** The reversal: a transaction of its own. */
  transaction_id: Uuid
  /** The transaction that was reversed. Both have the same accounts. */
  reverses: Uuid
  /** Owner of `account_id`. */
  user_id: Uuid
  account_id: Uuid
  to_account_id: Uuid | null
  to_user_id: Uuid | null
  /** The money that went back. */
  amount: Amount
  currency: Currency
  /** The fee of the transaction that was given back, below zero; null if it had none. */
  fee: SignedAmount | null
  /** Balance of `account_id` after the reversal. */
  new_balance: SignedAmount
  /** Balance of `to_account_id` after the reversal; null if that is null. */
  to_new_balance: SignedAmount | null
  /** What the operator wrote about it. */
  reason: string | null
  /** When the reversal was posted. */
  timestamp: Timestamp
}

export const transactionReversed: EventContract<TransactionReversed> = {
  type: 'transaction.reversed',
  version: 1,
  context: 'ledger',
  description: 'A transaction was reversed: its money went back, by a transaction of its own.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'transaction_id',
      'reverses',
      'user_id',
      'account_id',
      'to_account_id',
      'to_user_id',
      'amount',
      'currency',
      'fee',
      'new_balance',
      'to_new_balance',
      'reason',
      'timestamp',
    ],
    properties: {
      transaction_id: uuid,
      reverses: uuid,
      user_id: uuid,
      account_id: uuid,
      to_account_id: uuidOrNull,
      to_user_id: uuidOrNull,
      amount,
      currency,
      fee: signedAmountOrNull,
      new_balance: signedAmount,
      to_new_balance: signedAmountOrNull,
      reason: textOrNull,
      timestamp,
    },
  },
  example: {
    transaction_id: '01936f0b-11d2-7b1a-a1a4-2f0f6a1c9b55',
    reverses: '01936f0a-99d2-7b1a-a1a4-2f0f6a1c9b55',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    to_account_id: null,
    to_user_id: null,
    amount: '200.00',
    currency: 'USD',
    fee: null,
    new_balance: '700.00',
    to_new_balance: null,
    reason: 'entered twice',
    timestamp: '2026-01-06T10:00:00.000Z',
  },
}

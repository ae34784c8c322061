import type { EventContract } from './contract.ts'
import {
  amount,
  currency,
  timestamp,
  uuid,
  type Amount,
  type Currency,
  type Timestamp,
  type Uuid,
} from './fields.ts'

export interface HoldCaptured {
  hold_id: Uuid
  /** Owner of the account. */
  user_id: Uuid
  account_id: Uuid
  /** The transfer that took the money. */
  transaction_id: Uuid
  /** How much was taken. */
  amount: Amount
  /** The rest of the hold. */
  released: Amount
  currency: Currency
  timestamp: Timestamp
}

export const holdCaptured: EventContract<HoldCaptured> = {
  type: 'hold.captured',
  version: 1,
  context: 'ledger',
  description:
    'Money of a hold was taken, and the rest of it is available again. The transfer is a transaction.completed event of its own.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'hold_id',
      'user_id',
      'account_id',
      'transaction_id',
      'amount',
      'released',
      'currency',
      'timestamp',
    ],
    properties: {
      hold_id: uuid,
      user_id: uuid,
      account_id: uuid,
      transaction_id: uuid,
      amount,
      released: amount,
      currency,
      timestamp,
    },
  },
  example: {
    hold_id: '01936f0c-21d2-7b1a-a1a4-2f0f6a1c9b55',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    transaction_id: '01936f0d-99d2-7b1a-a1a4-2f0f6a1c9b55',
    amount: '80.00',
    released: '20.00',
    currency: 'USD',
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

import type { EventContract } from './contract.ts'
import {
  amount,
  currency,
  textOrNull,
  timestamp,
  uuid,
  type Amount,
  type Currency,
  type Timestamp,
  type Uuid,
} from './fields.ts'

export interface HoldPlaced {
  hold_id: Uuid
  /** Owner of the account. */
  user_id: Uuid
  account_id: Uuid
  amount: Amount
  currency: Currency
  /** What the caller wrote about it; null if nothing. */
  description: string | null
  /** Only they and operators can capture or release it. */
  placed_by: Uuid
  expires_at: Timestamp
  timestamp: Timestamp
}

export const holdPlaced: EventContract<HoldPlaced> = {
  type: 'hold.placed',
  version: 1,
  context: 'ledger',
  description: 'Money was set aside: it is still in the balance, but no longer available.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'hold_id',
      'user_id',
      'account_id',
      'amount',
      'currency',
      'description',
      'placed_by',
      'expires_at',
      'timestamp',
    ],
    properties: {
      hold_id: uuid,
      user_id: uuid,
      account_id: uuid,
      amount,
      currency,
      description: textOrNull,
      placed_by: uuid,
      expires_at: timestamp,
      timestamp,
    },
  },
  example: {
    hold_id: '01936f0c-21d2-7b1a-a1a4-2f0f6a1c9b55',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    amount: '80.00',
    currency: 'USD',
    description: 'Hotel Adler, two nights',
    placed_by: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    expires_at: '2026-01-12T09:30:00.000Z',
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

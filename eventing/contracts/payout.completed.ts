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

export interface PayoutCompleted {
  payout_id: Uuid
  /** Owner of `account_id`. */
  user_id: Uuid
  account_id: Uuid
  currency: Currency
  /** All that was paid, together. */
  amount: Amount
  /** How many payees were paid. */
  paid: number
  /** How many were refused. */
  refused: number
  timestamp: Timestamp
}

const properties = {
  payout_id: uuid,
  user_id: uuid,
  account_id: uuid,
  currency,
  amount,
  paid: { type: 'integer', minimum: 0 },
  refused: { type: 'integer', minimum: 0 },
  timestamp,
}

export const payoutCompleted: EventContract<PayoutCompleted> = {
  type: 'payout.completed',
  version: 1,
  context: 'payments',
  description: 'Each payee of a payout was paid or refused.',
  schema: { type: 'object', additionalProperties: false, required: Object.keys(properties), properties },
  example: {
    payout_id: '01936f0c-61d2-7b1a-a1a4-2f0f6a1c9b55',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    currency: 'USD',
    amount: '1234.50',
    paid: 38,
    refused: 2,
    timestamp: '2026-01-05T09:30:07.500Z',
  },
}

import type { EventContract } from './contract.ts'
import { timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface PayoutRequested {
  payout_id: Uuid
  /** Owner of `account_id`. */
  user_id: Uuid
  account_id: Uuid
  /** How many payees there are. */
  items: number
  timestamp: Timestamp
}

const properties = {
  payout_id: uuid,
  user_id: uuid,
  account_id: uuid,
  items: { type: 'integer', minimum: 1 },
  timestamp,
}

export const payoutRequested: EventContract<PayoutRequested> = {
  type: 'payout.requested',
  version: 1,
  context: 'payments',
  description: 'A customer asked to pay many payees; none of them is paid yet.',
  schema: { type: 'object', additionalProperties: false, required: Object.keys(properties), properties },
  example: {
    payout_id: '01936f0c-61d2-7b1a-a1a4-2f0f6a1c9b55',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    items: 40,
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

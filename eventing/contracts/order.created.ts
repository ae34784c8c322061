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

export interface OrderCreated {
  order_id: Uuid
  /** Owner of the order and of `account_id`. */
  user_id: Uuid
  account_id: Uuid
  to_account_id: Uuid
  /** Paid at each run. */
  amount: Amount
  currency: Currency
  description: string | null
  /** As the API shows it: `run_at`, or `every` with what belongs to it. */
  schedule: object
  first_due_at: Timestamp
  timestamp: Timestamp
}

const properties = {
  order_id: uuid,
  user_id: uuid,
  account_id: uuid,
  to_account_id: uuid,
  amount,
  currency,
  description: textOrNull,
  schedule: { type: 'object' },
  first_due_at: timestamp,
  timestamp,
}

export const orderCreated: EventContract<OrderCreated> = {
  type: 'order.created',
  version: 1,
  context: 'payments',
  description: 'A customer ordered a transfer for a moment to come, or for each day, week or month.',
  schema: { type: 'object', additionalProperties: false, required: Object.keys(properties), properties },
  example: {
    order_id: '01936f0c-31d2-7b1a-a1a4-2f0f6a1c9b55',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    to_account_id: '01936f0a-9022-7c55-8f0e-6f2a7c1d2e33',
    amount: '950.00',
    currency: 'USD',
    description: 'Rent',
    schedule: { every: 'month', on: 31, at: '06:00', time_zone: 'Europe/Berlin', from: '2026-01-05' },
    first_due_at: '2026-01-31T05:00:00.000Z',
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

import type { EventContract } from './contract.ts'
import {
  amountOrNull,
  currency,
  text,
  timestamp,
  uuid,
  type Amount,
  type Currency,
  type Timestamp,
  type Uuid,
} from './fields.ts'

export interface LimitsChanged {
  account_id: Uuid
  /** Owner of the account. */
  user_id: Uuid
  /** Grows with each change for the account. */
  version: number
  currency: Currency
  /** The most that may go out of the account at once, on a day, and in 30 days; null: as much as there is. */
  transaction_max: Amount | null
  day_max: Amount | null
  month_max: Amount | null
  /** Name of the time zone in which a day begins. */
  time_zone: string
  /** The amounts hold from this moment on, until a later version says otherwise. */
  valid_from: Timestamp
  /** The operator who set them. */
  set_by: Uuid
  reason: string
  timestamp: Timestamp
}

export const limitsChanged: EventContract<LimitsChanged> = {
  type: 'limits.changed',
  version: 1,
  context: 'ledger',
  description: 'An operator set how much may go out of an account.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'account_id',
      'user_id',
      'version',
      'currency',
      'transaction_max',
      'day_max',
      'month_max',
      'time_zone',
      'valid_from',
      'set_by',
      'reason',
      'timestamp',
    ],
    properties: {
      account_id: uuid,
      user_id: uuid,
      version: { type: 'integer', minimum: 1 },
      currency,
      transaction_max: amountOrNull,
      day_max: amountOrNull,
      month_max: amountOrNull,
      time_zone: text,
      valid_from: timestamp,
      set_by: uuid,
      reason: text,
      timestamp,
    },
  },
  example: {
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    version: 1,
    currency: 'USD',
    transaction_max: '500.00',
    day_max: '1000.00',
    month_max: null,
    time_zone: 'Europe/Berlin',
    valid_from: '2026-01-05T09:30:00.000Z',
    set_by: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e12',
    reason: 'Asked for by the customer',
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

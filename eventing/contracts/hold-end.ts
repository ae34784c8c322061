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

/** What the events have in common that tell of a hold whose money is available again. */
export interface HoldEnd {
  hold_id: Uuid
  /** Owner of the account. */
  user_id: Uuid
  account_id: Uuid
  amount: Amount
  currency: Currency
  timestamp: Timestamp
}

/** Schema of HoldEnd. */
export const holdEndSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['hold_id', 'user_id', 'account_id', 'amount', 'currency', 'timestamp'],
  properties: { hold_id: uuid, user_id: uuid, account_id: uuid, amount, currency, timestamp },
}

export const holdEndExample: HoldEnd = {
  hold_id: '01936f0c-21d2-7b1a-a1a4-2f0f6a1c9b55',
  user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
  account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
  amount: '80.00',
  currency: 'USD',
  timestamp: '2026-01-05T09:30:00.000Z',
}

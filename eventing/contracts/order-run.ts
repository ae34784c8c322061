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

/** What the events have in common that tell how a run of a payment order ended. */
export interface OrderRunEnd {
  order_id: Uuid
  run_id: Uuid
  /** Owner of the order and of `account_id`. */
  user_id: Uuid
  account_id: Uuid
  to_account_id: Uuid
  amount: Amount
  currency: Currency
  description: string | null
  /** When the money was to be paid. */
  due_at: Timestamp
  /** When the run ended. */
  timestamp: Timestamp
}

/** Properties of OrderRunEnd. All are required. */
export const orderRunProperties = {
  order_id: uuid,
  run_id: uuid,
  user_id: uuid,
  account_id: uuid,
  to_account_id: uuid,
  amount,
  currency,
  description: textOrNull,
  due_at: timestamp,
  timestamp,
}

export const orderRunExample: OrderRunEnd = {
  order_id: '01936f0c-31d2-7b1a-a1a4-2f0f6a1c9b55',
  run_id: '01936f0c-41d2-7b1a-a1a4-2f0f6a1c9b55',
  user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
  account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
  to_account_id: '01936f0a-9022-7c55-8f0e-6f2a7c1d2e33',
  amount: '950.00',
  currency: 'USD',
  description: 'Rent',
  due_at: '2026-01-31T06:00:00.000Z',
  timestamp: '2026-01-31T06:00:02.125Z',
}

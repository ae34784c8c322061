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

/** What the events of top-ups and withdrawals have in common. */
export interface ProviderTransferEnd {
  /** Id of the top-up or withdrawal. */
  transfer_id: Uuid
  user_id: Uuid
  /** The account that gets the money, or pays. */
  account_id: Uuid
  amount: Amount
  currency: Currency
  timestamp: Timestamp
}

/** The `failure` of what the provider settled and the ledger could never book: an operator has given the
 * money back. */
export const SETTLED_OUTSIDE = 'settled-outside'

export const providerTransferRequired = [
  ...['transfer_id', 'user_id', 'account_id', 'amount', 'currency', 'timestamp'],
]

export const providerTransferProperties = {
  transfer_id: uuid,
  user_id: uuid,
  account_id: uuid,
  amount,
  currency,
  timestamp,
}

export const providerTransferExample: ProviderTransferEnd = {
  transfer_id: '01936f0d-41d2-7b1a-a1a4-2f0f6a1c9b55',
  user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
  account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
  amount: '80.00',
  currency: 'USD',
  timestamp: '2026-01-05T09:30:00.000Z',
}

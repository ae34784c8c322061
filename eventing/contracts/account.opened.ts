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

export interface AccountOpened {
  account_id: Uuid
  /** Owner of the account. */
  user_id: Uuid
  /** What others pay to: ten digits and two check digits. */
  account_number: string
  account_type: 'checking' | 'savings'
  currency: Currency
  /** How far below zero the balance may go; `0.00`: not at all. */
  overdraft_limit: Amount
  opened_at: Timestamp
}

export const accountOpened: EventContract<AccountOpened> = {
  type: 'account.opened',
  version: 1,
  context: 'ledger',
  description:
    'An account was opened. A deposit made with the opening is a separate transaction.completed event.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'account_id',
      'user_id',
      'account_number',
      'account_type',
      'currency',
      'overdraft_limit',
      'opened_at',
    ],
    properties: {
      account_id: uuid,
      user_id: uuid,
      account_number: { type: 'string', pattern: '^[1-9]\\d{11}$' },
      account_type: { enum: ['checking', 'savings'] },
      currency,
      overdraft_limit: amount,
      opened_at: timestamp,
    },
  },
  example: {
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_number: '482109374490',
    account_type: 'checking',
    currency: 'USD',
    overdraft_limit: '0.00',
    opened_at: '2026-01-05T09:00:00.000Z',
  },
}

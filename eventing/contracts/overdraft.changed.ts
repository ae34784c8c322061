import type { EventContract } from './contract.ts'
import {
  amount,
  currency,
  text,
  timestamp,
  uuid,
  type Amount,
  type Currency,
  type Timestamp,
  type Uuid,
} from './fields.ts'

export interface OverdraftChanged {
  account_id: Uuid
  /** Owner of the account. */
  user_id: Uuid
  currency: Currency
  /** How far below zero the balance may go from now on; `0.00`: not at all. */
  overdraft_limit: Amount
  /** How far it could go before. */
  previous_overdraft_limit: Amount
  reason: string
  /** The operator who changed it. */
  changed_by: Uuid
  timestamp: Timestamp
}

export const overdraftChanged: EventContract<OverdraftChanged> = {
  type: 'overdraft.changed',
  version: 1,
  context: 'ledger',
  description: 'An operator changed the overdraft limit of an account.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'account_id',
      'user_id',
      'currency',
      'overdraft_limit',
      'previous_overdraft_limit',
      'reason',
      'changed_by',
      'timestamp',
    ],
    properties: {
      account_id: uuid,
      user_id: uuid,
      currency,
      overdraft_limit: amount,
      previous_overdraft_limit: amount,
      reason: text,
      changed_by: uuid,
      timestamp,
    },
  },
  example: {
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    currency: 'USD',
    overdraft_limit: '500.00',
    previous_overdraft_limit: '0.00',
    reason: 'Salary comes in each month',
    changed_by: '01936f0a-7a2c-7b31-8c4d-3f5e6a7b8c9d',
    timestamp: '2026-02-03T10:15:00.000Z',
  },
}

import type { EventContract } from './contract.ts'

/** Amounts are decimal strings with the currency's number of decimals. */
export interface AccountOpened {
  account_id: string
  user_id: string
  account_type: 'checking' | 'savings'
  currency: string
  overdraft_limit: string
  /** RFC 3339 UTC. */
  opened_at: string
}

export const accountOpened: EventContract<AccountOpened> = {
  type: 'account.opened',
  version: 1,
  context: 'ledger',
  description: 'An account was opened. An opening deposit is a transaction.completed of its own.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['account_id', 'user_id', 'account_type', 'currency', 'overdraft_limit', 'opened_at'],
    properties: {
      account_id: { type: 'string', format: 'uuid' },
      user_id: { type: 'string', format: 'uuid' },
      account_type: { enum: ['checking', 'savings'] },
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      overdraft_limit: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?$' },
      opened_at: { type: 'string', format: 'date-time' },
    },
  },
  example: {
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_type: 'checking',
    currency: 'USD',
    overdraft_limit: '0.00',
    opened_at: '2026-01-05T09:00:00.000Z',
  },
}

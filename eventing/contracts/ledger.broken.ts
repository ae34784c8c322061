import type { EventContract } from './contract.ts'
import { currency, text, timestamp, uuid, type Currency, type Timestamp, type Uuid } from './fields.ts'

export interface LedgerBroken {
  stop_id: Uuid
  currency: Currency
  reason: string
  /** Accounts whose books are wrong, up to a hundred; empty if the fault is of no account. */
  accounts: Uuid[]
  timestamp: Timestamp
}

export const ledgerBroken: EventContract<LedgerBroken> = {
  type: 'ledger.broken',
  version: 1,
  context: 'ledger',
  description:
    'A check found the books of a currency wrong, and stopped its postings until an operator resumes them.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['stop_id', 'currency', 'reason', 'accounts', 'timestamp'],
    properties: {
      stop_id: uuid,
      currency,
      reason: text,
      accounts: { type: 'array', items: uuid },
      timestamp,
    },
  },
  example: {
    stop_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    currency: 'USD',
    reason: 'The books are wrong: row',
    accounts: ['01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11'],
    timestamp: '2026-01-05T09:00:00.000Z',
  },
}

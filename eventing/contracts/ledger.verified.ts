import type { EventContract } from './contract.ts'
import {
  currency,
  signedAmount,
  timestamp,
  type Currency,
  type SignedAmount,
  type Timestamp,
} from './fields.ts'

export interface LedgerVerified {
  /** False if anything is wrong in the books. */
  ok: boolean
  /** Stops that no operator has lifted yet. */
  open_stops: number
  accounts: number
  entries: number
  /** Accounts whose entries or rows are wrong. */
  faults: number
  /** The sum of a currency's balances must be zero. */
  currencies: { currency: Currency; accounts: number; balance_sum: SignedAmount }[]
  started_at: Timestamp
  timestamp: Timestamp
}

const count = { type: 'integer', minimum: 0 } as const

export const ledgerVerified: EventContract<LedgerVerified> = {
  type: 'ledger.verified',
  version: 1,
  context: 'ledger',
  description: 'All books were checked from the first entry on, as every night.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['ok', 'open_stops', 'accounts', 'entries', 'faults', 'currencies', 'started_at', 'timestamp'],
    properties: {
      ok: { type: 'boolean' },
      open_stops: count,
      accounts: count,
      entries: count,
      faults: count,
      currencies: {
        type: 'array',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['currency', 'accounts', 'balance_sum'],
          properties: { currency, accounts: count, balance_sum: signedAmount },
        },
      },
      started_at: timestamp,
      timestamp,
    },
  },
  example: {
    ok: true,
    open_stops: 0,
    accounts: 10_001,
    entries: 2_000_000,
    faults: 0,
    currencies: [{ currency: 'USD', accounts: 10_001, balance_sum: '0.00' }],
    started_at: '2026-01-05T01:00:00.000Z',
    timestamp: '2026-01-05T01:00:31.000Z',
  },
}

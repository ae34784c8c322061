import type { EventContract } from './contract.ts'
import { currencyOrNull, text, timestamp, uuid, type Currency, type Timestamp, type Uuid } from './fields.ts'

export interface LedgerStopped {
  stop_id: Uuid
  /** Null: all currencies. */
  currency: Currency | null
  reason: string
  /** The operator. */
  stopped_by: Uuid
  timestamp: Timestamp
}

export const ledgerStopped: EventContract<LedgerStopped> = {
  type: 'ledger.stopped',
  version: 1,
  context: 'ledger',
  description: 'An operator stopped the postings of a currency, or of all.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['stop_id', 'currency', 'reason', 'stopped_by', 'timestamp'],
    properties: { stop_id: uuid, currency: currencyOrNull, reason: text, stopped_by: uuid, timestamp },
  },
  example: {
    stop_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    currency: 'USD',
    reason: 'A correction by hand',
    stopped_by: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    timestamp: '2026-01-05T09:00:00.000Z',
  },
}

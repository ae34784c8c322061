import type { EventContract } from './contract.ts'
import { currencyOrNull, text, timestamp, uuid, type Currency, type Timestamp, type Uuid } from './fields.ts'

export interface LedgerResumed {
  stop_id: Uuid
  /** Null: all currencies. */
  currency: Currency | null
  reason: string
  /** The operator. */
  resumed_by: Uuid
  timestamp: Timestamp
}

export const ledgerResumed: EventContract<LedgerResumed> = {
  type: 'ledger.resumed',
  version: 1,
  context: 'ledger',
  description:
    'An operator lifted a stop, after what it was about was found right, or is on frozen accounts.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['stop_id', 'currency', 'reason', 'resumed_by', 'timestamp'],
    properties: { stop_id: uuid, currency: currencyOrNull, reason: text, resumed_by: uuid, timestamp },
  },
  example: {
    stop_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    currency: 'USD',
    reason: 'A correction by hand',
    resumed_by: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    timestamp: '2026-01-05T09:00:00.000Z',
  },
}

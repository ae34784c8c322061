import type { EventContract } from './contract.ts'
import {
  amount,
  amountOrNull,
  currency,
  text,
  timestamp,
  transactionType,
  uuid,
  type Amount,
  type Currency,
  type Timestamp,
  type TransactionType,
  type Uuid,
} from './fields.ts'

interface FeeTerms {
  fixed: Amount
  /** Percentage of the amount, a decimal string from `0` to `100`. */
  percent: string
  /** Least and highest fee; null: none. */
  minimum: Amount | null
  maximum: Amount | null
}

export interface FeesChanged {
  /** Grows with each change of any fee. */
  version: number
  currency: Currency
  transaction_type: TransactionType
  /** Null: there is no fee. A tier's terms are for amounts from `from` on. */
  rules: (FeeTerms & { tiers: (FeeTerms & { from: Amount })[] }) | null
  /** The fee is taken from this moment on, until a later version says otherwise. */
  valid_from: Timestamp
  /** The operator who set it. */
  set_by: Uuid
  reason: string
  timestamp: Timestamp
}

const terms = {
  fixed: amount,
  percent: { type: 'string', pattern: '^[0-9]{1,3}(\\.[0-9]{1,4})?$' },
  minimum: amountOrNull,
  maximum: amountOrNull,
} as const
const termNames = ['fixed', 'percent', 'minimum', 'maximum']

export const feesChanged: EventContract<FeesChanged> = {
  type: 'fees.changed',
  version: 1,
  context: 'ledger',
  description: 'An operator set what deposits, withdrawals or transfers in a currency cost.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'version',
      'currency',
      'transaction_type',
      'rules',
      'valid_from',
      'set_by',
      'reason',
      'timestamp',
    ],
    properties: {
      version: { type: 'integer', minimum: 1 },
      currency,
      transaction_type: transactionType,
      rules: {
        anyOf: [
          {
            type: 'object',
            additionalProperties: false,
            required: [...termNames, 'tiers'],
            properties: {
              ...terms,
              tiers: {
                type: 'array',
                items: {
                  type: 'object',
                  additionalProperties: false,
                  required: ['from', ...termNames],
                  properties: { from: amount, ...terms },
                },
              },
            },
          },
          { type: 'null' },
        ],
      },
      valid_from: timestamp,
      set_by: uuid,
      reason: text,
      timestamp,
    },
  },
  example: {
    version: 7,
    currency: 'USD',
    transaction_type: 'transfer',
    rules: { fixed: '0.30', percent: '2.9', minimum: null, maximum: '15.00', tiers: [] },
    valid_from: '2026-02-01T00:00:00.000Z',
    set_by: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    reason: 'Prices of 2026',
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

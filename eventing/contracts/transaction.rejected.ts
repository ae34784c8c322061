import type { EventContract } from './contract.ts'

/** Only for transactions asked for with `Prefer: respond-async`; others are refused in the answer itself. */
export interface TransactionRejected {
  transaction_id: string
  transaction_type: 'deposit' | 'withdrawal' | 'transfer'
  /** Who asked for it. */
  user_id: string
  account_id: string
  /** Null unless it is a transfer. */
  to_account_id: string | null
  /** Decimal string. */
  amount: string
  currency: string
  description: string | null
  /** Name of the problem that the answer would have had. */
  refusal: string
  /** RFC 3339 UTC. */
  timestamp: string
}

export const transactionRejected: EventContract<TransactionRejected> = {
  type: 'transaction.rejected',
  version: 1,
  context: 'ledger',
  description: 'A transaction that was asked for with "Prefer: respond-async" was refused.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'transaction_id',
      'transaction_type',
      'user_id',
      'account_id',
      'to_account_id',
      'amount',
      'currency',
      'description',
      'refusal',
      'timestamp',
    ],
    properties: {
      transaction_id: { type: 'string', format: 'uuid' },
      transaction_type: { enum: ['deposit', 'withdrawal', 'transfer'] },
      user_id: { type: 'string', format: 'uuid' },
      account_id: { type: 'string', format: 'uuid' },
      to_account_id: { type: ['string', 'null'], format: 'uuid' },
      amount: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?$' },
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      description: { type: ['string', 'null'] },
      refusal: { type: 'string' },
      timestamp: { type: 'string', format: 'date-time' },
    },
  },
  example: {
    transaction_id: '01936f0a-99d2-7b1a-a1a4-2f0f6a1c9b55',
    transaction_type: 'transfer',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    to_account_id: '01936f0a-9012-7a01-b7aa-51d3c2b1a044',
    amount: '200.00',
    currency: 'USD',
    description: 'rent',
    refusal: 'insufficient-funds',
    timestamp: '2026-01-05T09:30:01.000Z',
  },
}

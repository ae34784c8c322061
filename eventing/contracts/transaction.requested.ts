import type { EventContract } from './contract.ts'

/** Goes to the Broker before anything is posted. The attribute `transactiontype` of its envelope holds the
 * same as `transaction_type`, for the filters of Triggers. */
export interface TransactionRequested {
  /** The id that the transaction will have. */
  transaction_id: string
  transaction_type: 'deposit' | 'withdrawal' | 'transfer'
  /** Who asked for it, and in which role. */
  requested_by: string
  role: 'customer' | 'operator'
  account_id: string
  /** Null unless it is a transfer. */
  to_account_id: string | null
  /** Decimal string. */
  amount: string
  currency: string
  description: string | null
  metadata: Record<string, unknown> | null
  /** RFC 3339 UTC. */
  timestamp: string
}

export const transactionRequested: EventContract<TransactionRequested> = {
  type: 'transaction.requested',
  version: 1,
  context: 'ledger',
  // Over the order's content; see functions/ledger/posting/request-signature.ts.
  hasOwnSignature: true,
  description: 'A transaction was asked for with "Prefer: respond-async" and is to be posted.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'transaction_id',
      'transaction_type',
      'requested_by',
      'role',
      'account_id',
      'to_account_id',
      'amount',
      'currency',
      'description',
      'metadata',
      'timestamp',
    ],
    properties: {
      transaction_id: { type: 'string', format: 'uuid' },
      transaction_type: { enum: ['deposit', 'withdrawal', 'transfer'] },
      requested_by: { type: 'string', format: 'uuid' },
      role: { enum: ['customer', 'operator'] },
      account_id: { type: 'string', format: 'uuid' },
      to_account_id: { type: ['string', 'null'], format: 'uuid' },
      amount: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?$' },
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      description: { type: ['string', 'null'] },
      metadata: { type: ['object', 'null'] },
      timestamp: { type: 'string', format: 'date-time' },
    },
  },
  example: {
    transaction_id: '01936f0a-99d2-7b1a-a1a4-2f0f6a1c9b55',
    transaction_type: 'transfer',
    requested_by: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    role: 'customer',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    to_account_id: '01936f0a-9012-7a01-b7aa-51d3c2b1a044',
    amount: '200.00',
    currency: 'USD',
    description: 'rent',
    metadata: null,
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

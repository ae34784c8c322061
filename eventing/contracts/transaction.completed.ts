import type { EventContract } from './contract.ts'

/** Amounts and balances are decimal strings with the currency's number of decimals. */
export interface TransactionCompleted {
  transaction_id: string
  transaction_type: 'deposit' | 'withdrawal' | 'transfer'
  /** Owner of `account_id`. */
  user_id: string
  account_id: string
  /** Null unless it is a transfer. */
  to_account_id: string | null
  to_user_id: string | null
  amount: string
  currency: string
  /** Balance of `account_id` after this transaction. */
  new_balance: string
  to_new_balance: string | null
  description: string | null
  timestamp: string
}

const money = { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]+)?$' } as const
const uuid = { type: 'string', format: 'uuid' } as const
const uuidOrNull = { type: ['string', 'null'], format: 'uuid' } as const

export const transactionCompleted: EventContract<TransactionCompleted> = {
  type: 'transaction.completed',
  version: 1,
  context: 'ledger',
  description: 'Money was moved. Carries all that a consumer needs; nobody has to call back.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [
      'transaction_id',
      'transaction_type',
      'user_id',
      'account_id',
      'to_account_id',
      'to_user_id',
      'amount',
      'currency',
      'new_balance',
      'to_new_balance',
      'description',
      'timestamp',
    ],
    properties: {
      transaction_id: uuid,
      transaction_type: { enum: ['deposit', 'withdrawal', 'transfer'] },
      user_id: uuid,
      account_id: uuid,
      to_account_id: uuidOrNull,
      to_user_id: uuidOrNull,
      amount: money,
      currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      new_balance: money,
      to_new_balance: { anyOf: [money, { type: 'null' }] },
      description: { type: ['string', 'null'] },
      timestamp: { type: 'string', format: 'date-time' },
    },
  },
  example: {
    transaction_id: '01936f0a-99d2-7b1a-a1a4-2f0f6a1c9b55',
    transaction_type: 'deposit',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    account_id: '01936f0a-9011-7c55-8f0e-6f2a7c1d2e33',
    to_account_id: null,
    to_user_id: null,
    amount: '200.00',
    currency: 'USD',
    new_balance: '900.00',
    to_new_balance: null,
    description: null,
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

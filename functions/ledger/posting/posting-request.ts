import type { TransactionType } from '../transactions/transaction.ts'

/** The operation that moves money of each type. */
export const operationOf = {
  deposit: 'deposit',
  withdrawal: 'withdraw',
  transfer: 'transfer',
} as const satisfies Record<TransactionType, string>

/** One transaction to be posted. */
export interface PostingRequest {
  id: string
  /** True where it was answered with 202 before. */
  requested: boolean
  operation: string
  type: TransactionType
  account_id: string
  to_account_id: string | null
  /** Minor units. */
  amount: string
  currency: string
  currency_exponent: number
  description: string | null
  metadata: Record<string, unknown> | null
  caller_id: string
  caller_role: 'customer' | 'operator'
  key_owner: string | null
  key: string | null
  /** Hexadecimal, with the prefix `\x`. */
  request_hash: string | null
  traceparent: string
}

import { dataschemaOf, sourceOf, type EventContract } from '../../../eventing/contracts/contract.ts'
import {
  transactionCompleted,
  type TransactionCompleted,
} from '../../../eventing/contracts/transaction.completed.ts'
import {
  transactionRejected,
  type TransactionRejected,
} from '../../../eventing/contracts/transaction.rejected.ts'
import { eventIdOf, type PendingEvent } from '../../../eventing/outbox-event.ts'
import { formatAmount } from '../values/money.ts'
import type { PostingRequest } from './posting-request.ts'

/** A transaction that post_transactions() has written. */
export interface WrittenRow {
  transaction_id: string
  status: 'completed' | 'rejected'
  /** 'posted' or the name of a refusal. */
  outcome: string
  /** Owner of the account; of a rejected transaction the user who requested it. */
  user_id: string
  to_user_id: string | null
  balance_after: bigint
  to_balance_after: bigint | null
  posted_at: Date
}

/** Returns the event that tells the outcome of a request, byte for byte as transaction_event() in
 * functions/ledger/sql derives it from the transaction. It is not stored. */
export function toEvent(row: WrittenRow, request: PostingRequest, pendingId: string): PendingEvent {
  const at = row.posted_at.toISOString()
  const isCompleted = row.status === 'completed'
  const contract: EventContract = isCompleted ? transactionCompleted : transactionRejected
  return {
    id: eventIdOf(row.transaction_id),
    type: contract.type,
    source: sourceOf(contract),
    subject: row.transaction_id,
    time: at,
    dataschema: dataschemaOf(contract),
    partitionkey: request.account_id,
    traceparent: request.traceparent,
    data: JSON.stringify(isCompleted ? completed(row, request, at) : rejected(row, request, at)),
    pendingId,
  }
}

// The order of the fields is the one in which Postgres writes them.
const completed = (row: WrittenRow, request: PostingRequest, timestamp: string): TransactionCompleted => ({
  transaction_id: row.transaction_id,
  transaction_type: request.type,
  user_id: row.user_id,
  account_id: request.account_id,
  to_account_id: request.to_account_id,
  to_user_id: row.to_user_id,
  amount: formatAmount(BigInt(request.amount), request.currency),
  currency: request.currency,
  new_balance: formatAmount(row.balance_after, request.currency),
  to_new_balance: row.to_balance_after === null ? null : formatAmount(row.to_balance_after, request.currency),
  description: request.description,
  timestamp,
})

const rejected = (row: WrittenRow, request: PostingRequest, timestamp: string): TransactionRejected => ({
  transaction_id: row.transaction_id,
  transaction_type: request.type,
  user_id: row.user_id,
  account_id: request.account_id,
  to_account_id: request.to_account_id,
  amount: formatAmount(BigInt(request.amount), request.currency),
  currency: request.currency,
  description: request.description,
  refusal: row.outcome,
  timestamp,
})

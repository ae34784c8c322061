import { dataschemaOf, sourceOf, type EventContract } from '../../../eventing/contracts/contract.ts'
import {
  transactionCompleted,
  type TransactionCompleted,
} from '../../../eventing/contracts/transaction.completed.ts'
import {
  transactionRejected,
  type TransactionRejected,
} from '../../../eventing/contracts/transaction.rejected.ts'
import type { TransactionType } from '../../../eventing/contracts/fields.ts'
import { groupsByEvent } from '../../../eventing/groups-by-event.ts'
import { eventIdOf, type PendingEvent } from '../../../eventing/outbox-event.ts'
import { formatAmount } from '../../host/values/money.ts'
import type { PostingRequest } from './posting-request.ts'

/** What post_transactions() has written for a request. Without a status it wrote no transaction. */
export interface WrittenRow {
  transaction_id: string
  status: 'completed' | 'rejected' | null
  /** 'posted' or the name of a refusal. */
  outcome: string
  /** Owner of the account; of a rejected transaction the user who requested it. */
  user_id: string
  to_user_id: string | null
  /** Null if a hold was placed or released. */
  balance_after: bigint | null
  fee: bigint | null
  to_balance_after: bigint | null
  posted_at: Date
  /** If the request concerned a hold: id of its new entry, and the whole amount of the hold. */
  hold_entry_id: string | null
  hold_amount: bigint | null
  /** Whether the events are offered to web hooks. */
  offered: boolean
}

/** Returns the events of a request that was posted, from what post_transactions() has written. */
export type ToEvents = (row: WrittenRow, request: PostingRequest, pendingId: string) => PendingEvent[]

/** Returns the event that tells the outcome of a deposit, withdrawal or transfer; none if nothing was
 * written. It is byte for byte the one that transaction_event() in functions/ledger/sql derives from the
 * transaction, and is not stored. */
export const toEvents: ToEvents = (row, request, pendingId) => {
  if (!row.status) return []
  const { transaction_id: id } = row
  const at = row.posted_at.toISOString()
  const isCompleted = row.status === 'completed'
  const data = isCompleted ? completed(row, request, at) : rejected(row, request, at)
  const contract: EventContract = isCompleted ? transactionCompleted : transactionRejected
  return [toEvent(contract, { id, subject: id, at, data, offered: row.offered }, request, pendingId)]
}

interface Fact {
  /** Id of the row that the event is derived from. */
  id: string
  subject: string
  at: string
  data: object
  offered: boolean
}

/** Makes an event that is not stored. */
export const toEvent = (
  contract: EventContract,
  { id, subject, at, data, offered }: Fact,
  request: PostingRequest,
  pendingId: string,
): PendingEvent => ({
  id: eventIdOf(id),
  type: contract.type,
  source: sourceOf(contract),
  subject,
  time: at,
  dataschema: dataschemaOf(contract),
  partitionkey: request.account_id,
  traceparent: request.traceparent,
  data: JSON.stringify(data),
  extensions: offered ? groupsByEvent(contract.type) : null,
  pendingId,
})

// The order of the fields is the one in which Postgres writes them.
const completed = (row: WrittenRow, request: PostingRequest, timestamp: string): TransactionCompleted => ({
  transaction_id: row.transaction_id,
  // A reversal has another event.
  transaction_type: request.type as TransactionType,
  user_id: row.user_id,
  account_id: request.account_id,
  to_account_id: request.to_account_id,
  to_user_id: row.to_user_id,
  amount: formatAmount(BigInt(request.amount), request.currency),
  currency: request.currency,
  fee: row.fee === null ? null : formatAmount(row.fee, request.currency),
  new_balance: formatAmount(row.balance_after!, request.currency),
  to_new_balance: row.to_balance_after === null ? null : formatAmount(row.to_balance_after, request.currency),
  description: request.description,
  timestamp,
})

const rejected = (row: WrittenRow, request: PostingRequest, timestamp: string): TransactionRejected => ({
  transaction_id: row.transaction_id,
  transaction_type: request.type as TransactionType,
  user_id: row.user_id,
  account_id: request.account_id,
  to_account_id: request.to_account_id,
  amount: formatAmount(BigInt(request.amount), request.currency),
  currency: request.currency,
  description: request.description,
  refusal: row.outcome,
  timestamp,
})

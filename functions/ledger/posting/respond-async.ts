import { dataschemaOf, sourceOf } from '../../../eventing/contracts/contract.ts'
import {
  transactionRequested,
  type TransactionRequested,
} from '../../../eventing/contracts/transaction.requested.ts'
import type { TransactionType } from '../../../eventing/contracts/fields.ts'
import type { PendingEvent } from '../../../eventing/outbox-event.ts'
import type { Database } from '../../host/database/database.ts'
import { replayed } from '../../host/database/idempotency.ts'
import type { Caller } from '../../host/route-request.ts'
import type { Reply } from '../../host/reply.ts'
import type { Tools } from '../../host/tools.ts'
import { toCreated } from './money-request.ts'
import { formatAmount, readAmount } from '../../host/values/money.ts'
import { operationOf, toPosting, type PostingRequest } from './posting-request.ts'
import { signRequest } from './request-signature.ts'
import { LedgerStoppedError, toStopped } from '../stops/stopped.ts'
import { refusal, type KeyRefusal, type PostingRefusal } from './refusals.ts'
import { toTransaction } from '../transactions/transaction.ts'

interface NotedRow {
  outcome: 'pending' | 'posted' | PostingRefusal | KeyRefusal
  replayed: boolean
  transaction_id: string
  balance_after: bigint
  fee: bigint | null
  posted_at: Date
  /** Data of the order's event as JSON text, if it has one. */
  order_data: string
}

// A request without a key waits this long to be stored. It can do without.
const NOTE_TIMEOUT_MS = 500

/** Accepts a transaction without posting it: answers 202 once transaction.requested is stored. The same
 * operation then consumes that event, so requests wait in the queue while accounts are busy.
 *
 * Order and event are stored in one short database transaction, which waits for no account. The event is
 * published after it; if that fails, sweep-ledger posts the order (see overdue-orders.ts). Without a key, the
 * request is accepted even if the database is unreachable: the event then goes straight to the Broker.
 *
 * The same key gets the same answer again, whatever the order's outcome. If the key came before without
 * `respond-async`, its first answer is given. Rejects with UnavailableError if the order could not be
 * stored, and with LedgerStoppedError if postings in its currency are stopped. */
export async function requestTransaction(
  posting: PostingRequest,
  caller: Caller,
  { db, outbox, log, config }: Tools,
): Promise<Reply> {
  const order = toOrder(posting, new Date())
  const event = toEvent(order, posting.traceparent, signRequest(order, config.REQUEST_SIGNING_KEY))
  const noting = note(db, posting, { ...event, data: order })
  const noted = posting.key
    ? await noting
    : await inTime(noting).catch((error: Error) => {
        if (error instanceof LedgerStoppedError) throw error
        log.warn('an order could not be stored; it goes straight to the Broker', { error: error.message })
        return undefined
      })
  if (!noted) await outbox.send(event)
  else if (noted.outcome === 'posted') return replayed(toCreated(posting, toPosted(noted), caller))
  else if (noted.outcome !== 'pending') return replayedIf(noted.replayed, refusal(noted.outcome))
  else if (!noted.replayed) outbox.publish([event])
  const accepted = toAccepted(noted ? (JSON.parse(noted.order_data) as TransactionRequested) : order, caller)
  return replayedIf(noted?.replayed ?? false, accepted)
}

/** The transaction that a transaction.requested asks for, to be posted under the id that was given out. */
export const toRequestedPosting = (order: TransactionRequested, traceparent: string): PostingRequest =>
  toPosting(order.transaction_type, order, readAmount(order.amount, order.currency, '/amount'), {
    operation: operationOf[order.transaction_type],
    caller: { userId: order.requested_by, role: order.role },
    orderId: order.transaction_id,
    traceparent,
  })

async function note(db: Database, posting: PostingRequest, event: object): Promise<NotedRow> {
  try {
    const [row] = await db.query<NotedRow>({
      name: 'request-transaction',
      text: 'select * from request_transaction($1, $2)',
      values: [JSON.stringify(posting), JSON.stringify(event)],
    })
    return row!
  } catch (error) {
    throw toStopped(error)
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${NOTE_TIMEOUT_MS} ms`)), NOTE_TIMEOUT_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

const toPosted = (row: NotedRow) => ({
  transactionId: row.transaction_id,
  balanceAfter: row.balance_after,
  fee: row.fee,
  postedAt: row.posted_at,
})

const toOrder = (posting: PostingRequest, requestedAt: Date): TransactionRequested => ({
  transaction_id: posting.id,
  // Only deposits, withdrawals and transfers can be ordered.
  transaction_type: posting.type as TransactionType,
  requested_by: posting.caller_id,
  role: posting.caller_role,
  account_id: posting.account_id,
  to_account_id: posting.to_account_id,
  amount: formatAmount(BigInt(posting.amount), posting.currency),
  currency: posting.currency,
  description: posting.description,
  metadata: posting.metadata,
  value_date: posting.value_date,
  timestamp: requestedAt.toISOString(),
})

/** Returns the event of an order. It is the same each time. */
export const toEvent = (
  order: TransactionRequested,
  traceparent: string,
  ordersignature: string,
): PendingEvent => ({
  // One order has one event, however often it is sent.
  id: order.transaction_id,
  pendingId: order.transaction_id,
  type: transactionRequested.type,
  source: sourceOf(transactionRequested),
  subject: order.transaction_id,
  time: order.timestamp,
  dataschema: dataschemaOf(transactionRequested),
  partitionkey: order.account_id,
  traceparent,
  data: JSON.stringify(order),
  extensions: { transactiontype: order.transaction_type, ordersignature },
})

function toAccepted(order: TransactionRequested, caller: Caller): Reply {
  const pending = {
    ...order,
    id: order.transaction_id,
    type: order.transaction_type,
    status: 'pending',
    amount: readAmount(order.amount, order.currency, '/amount'),
    balance_after: null,
    fee: null,
    hold_id: null,
    reverses: null,
    reversed_by: null,
    refusal: null,
    created_at: new Date(order.timestamp),
  } as const
  return {
    status: 202,
    // RFC 7240, section 3: this header names the preference that was honoured.
    headers: { location: `/api/transactions/${pending.id}`, 'preference-applied': 'respond-async' },
    body: toTransaction(pending, caller),
  }
}

const replayedIf = (isReplay: boolean, reply: Reply): Reply => (isReplay ? replayed(reply) : reply)

import { dataschemaOf, sourceOf } from '../../eventing/contracts/contract.ts'
import {
  transactionRequested,
  type TransactionRequested,
} from '../../eventing/contracts/transaction.requested.ts'
import type { OutboxEvent } from '../../eventing/outbox.ts'
import type { Database } from '../../knative/host/database.ts'
import { replayed } from '../../knative/host/idempotency.ts'
import type { Caller, Reply } from '../../knative/host/operation.ts'
import type { Services } from '../../knative/host/services.ts'
import { exponentOf } from './currencies.ts'
import { formatAmount, readAmount } from './money.ts'
import type { PostingRequest } from './post.ts'
import { signRequest } from './request-signature.ts'
import { refusal, type KeyRefusal, type PostingRefusal } from './refusals.ts'
import { toTransaction } from './transaction.ts'

interface NotedRow {
  outcome: 'pending' | PostingRefusal | KeyRefusal
  replayed: boolean
  transaction_id: string
  posted_at: Date
}

// How long a request without a key waits for its row with status `pending`, which it can do without.
const NOTE_TIMEOUT_MS = 500

/** Takes a transaction in without posting it: 202 once the Broker has stored transaction.requested, which the
 * same operation then consumes. So the queue holds what comes while the database is slow.
 *
 * With an Idempotency-Key the database has to answer, because the key's promise is kept there: the same key gives
 * the same transaction id. It is a short statement that waits for no account. Without a key, the request is
 * taken even while the database is away.
 *
 * A repetition sends the event again: the first may have got this far and no farther, and the transaction is
 * posted once in any case. */
export async function requestTransaction(
  posting: PostingRequest,
  caller: Caller,
  { db, outbox, log, config }: Services,
): Promise<Reply> {
  const noting = note(db, posting)
  const noted = posting.key
    ? await noting
    : await inTime(noting).catch((error: Error) => {
        log.warn('a requested transaction could not be noted as pending', { error: error.message })
        return undefined
      })
  if (noted && noted.outcome !== 'pending') return replayedIf(noted.replayed, refusal(noted.outcome))

  const requestedAt = noted?.posted_at ?? new Date()
  const transaction = { ...posting, id: noted?.transaction_id ?? posting.id }
  await outbox.send(toEvent(transaction, requestedAt, config.REQUEST_SIGNING_KEY))
  return replayedIf(noted?.replayed ?? false, accepted(transaction, requestedAt, caller))
}

/** The transaction that a transaction.requested asks for, to be posted under the id that was given out. */
export function toRequestedPosting(
  operation: string,
  data: TransactionRequested,
  traceparent: string,
): PostingRequest {
  return {
    id: data.transaction_id,
    requested: true,
    operation,
    type: data.transaction_type,
    account_id: data.account_id,
    to_account_id: data.to_account_id,
    amount: String(readAmount(data.amount, data.currency, '/amount')),
    currency: data.currency,
    currency_exponent: exponentOf(data.currency),
    description: data.description,
    metadata: data.metadata,
    caller_id: data.requested_by,
    caller_role: data.role,
    key_owner: null,
    key: null,
    request_hash: null,
    traceparent,
  }
}

async function note(db: Database, posting: PostingRequest): Promise<NotedRow> {
  const [row] = await db.query<NotedRow>({
    name: 'request-transaction',
    text: 'select * from request_transaction($1)',
    values: [JSON.stringify(posting)],
  })
  return row!
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${NOTE_TIMEOUT_MS} ms`)), NOTE_TIMEOUT_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function toEvent(posting: PostingRequest, requestedAt: Date, signingKey: string): OutboxEvent {
  const data: TransactionRequested = {
    transaction_id: posting.id,
    transaction_type: posting.type,
    requested_by: posting.caller_id,
    role: posting.caller_role,
    account_id: posting.account_id,
    to_account_id: posting.to_account_id,
    amount: formatAmount(BigInt(posting.amount), posting.currency),
    currency: posting.currency,
    description: posting.description,
    metadata: posting.metadata,
    timestamp: requestedAt.toISOString(),
  }
  return {
    // One request, one event, however often it is sent.
    id: posting.id,
    type: transactionRequested.type,
    source: sourceOf(transactionRequested),
    subject: posting.id,
    time: data.timestamp,
    dataschema: dataschemaOf(transactionRequested),
    partitionkey: posting.account_id,
    traceparent: posting.traceparent,
    data: JSON.stringify(data),
    extensions: { transactiontype: posting.type, signature: signRequest(data, signingKey) },
  }
}

function accepted(posting: PostingRequest, requestedAt: Date, caller: Caller): Reply {
  const row = { ...posting, amount: BigInt(posting.amount), balance_after: null, created_at: requestedAt }
  return {
    status: 202,
    // RFC 7240, section 3: says which preference was honoured.
    headers: { location: `/api/transactions/${posting.id}`, 'preference-applied': 'respond-async' },
    body: toTransaction({ ...row, status: 'pending' }, caller),
  }
}

const replayedIf = (isReplay: boolean, reply: Reply): Reply => (isReplay ? replayed(reply) : reply)

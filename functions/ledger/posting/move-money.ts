import {
  transactionRequested,
  type TransactionRequested,
} from '../../../eventing/contracts/transaction.requested.ts'
import type { Consumer } from '../../host/operation.ts'
import type { IdempotencyKey } from '../../host/route-request.ts'
import type { Caller } from '../../host/route-request.ts'
import type { Reply } from '../../host/reply.ts'
import { replayed } from '../../host/database/idempotency.ts'
import type { Database } from '../../host/database/database.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Tools } from '../../host/tools.ts'
import { requireMetadata, toCreated, toPosting, type MoneyRequest } from './money-request.ts'
import { readAmount } from '../values/money.ts'
import { isOld, parkOrder } from './park-order.ts'
import { createPoster, type Poster, type PostingOutcome } from './post.ts'
import type { PostingRequest } from './posting-request.ts'
import { refusal } from './refusals.ts'
import { checkSignature } from './request-signature.ts'
import { requestTransaction, toRequestedPosting } from './respond-async.ts'
import type { TransactionType } from '../transactions/transaction.ts'

/** What deposit, withdraw and transfer take, as their schemas let it in. */
export interface MoneyRouteRequest {
  body: MoneyRequest
  caller: Caller
  idempotencyKey: IdempotencyKey | undefined
  respondAsync: boolean
  traceparent: string
}

// One per process, and found by its database, because the handlers of an operation share nothing else.
const posters = new WeakMap<Database, Poster>()

function posterOf(tools: Tools): Poster {
  let poster = posters.get(tools.db)
  if (!poster) posters.set(tools.db, (poster = createPoster(tools)))
  return poster
}

/** Posts one transaction and answers it: 201 with the transaction, 202 where the caller prefers not to wait
 * for it, or the problem that it was refused with. Throws a ProblemError (400) for an amount that is none, or
 * too much metadata. */
export async function moveMoney(
  operation: string,
  type: TransactionType,
  request: MoneyRouteRequest,
  tools: Tools,
): Promise<Reply> {
  const { body, caller, idempotencyKey, traceparent, respondAsync } = request
  const minorUnits = readAmount(body.amount, body.currency ?? 'USD', '/amount')
  requireMetadata(body)
  const posting = toPosting(type, body, minorUnits, { operation, caller, idempotencyKey, traceparent })
  if (respondAsync) return requestTransaction(posting, caller, tools)
  return toReply(posting, await posterOf(tools).post(posting), caller)
}

/** Consumer of the orders that `operation` has answered with 202. A refusal is an outcome here too: it is
 * kept with the transaction, and stated as transaction.rejected. While the database is away, the order waits
 * in the Broker. */
export const postRequested = (operation: string): Consumer => ({
  contracts: [transactionRequested],
  async receive(event, tools, traceparent) {
    const order = event.data as TransactionRequested
    checkSignature(order, event.signature, tools.config.REQUEST_SIGNING_KEY)
    const posting = toRequestedPosting(operation, order, traceparent)
    try {
      await posterOf(tools).post(posting)
    } catch (error) {
      if (!(error instanceof UnavailableError) || !isOld(event.time)) throw error
      await parkOrder(event, tools)
    }
  },
})

function toReply(posting: PostingRequest, outcome: PostingOutcome, caller: Caller): Reply {
  const reply = outcome.outcome === 'posted' ? toCreated(posting, outcome, caller) : refusal(outcome.outcome)
  return outcome.replayed ? replayed(reply) : reply
}

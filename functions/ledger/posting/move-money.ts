import {
  transactionRequested,
  type TransactionRequested,
} from '../../../eventing/contracts/transaction.requested.ts'
import type { Consumer } from '../../host/operation.ts'
import type { IdempotencyKey } from '../../host/route-request.ts'
import type { Caller } from '../../host/route-request.ts'
import type { Reply } from '../../host/reply.ts'
import { replayed } from '../../host/database/idempotency.ts'
import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Tools } from '../../host/tools.ts'
import { requireMayDate, requireMetadata, toCreated, type MoneyRequest } from './money-request.ts'
import { readAmount } from '../../host/values/money.ts'
import { isOld, parkOrder } from './park-order.ts'
import type { Poster, PostingOutcome } from './post.ts'
import { operationOf, toPosting, type PostingRequest } from './posting-request.ts'
import { refusal } from './refusals.ts'
import { checkSignature } from './request-signature.ts'
import { requestTransaction, toEvent, toRequestedPosting } from './respond-async.ts'
import { LedgerStoppedError } from '../stops/stopped.ts'
import type { TransactionType } from '../../../eventing/contracts/fields.ts'

/** What deposit, withdraw and transfer get after their schemas accepted it. */
export interface MoneyRouteRequest {
  body: MoneyRequest
  caller: Caller
  idempotencyKey: IdempotencyKey | undefined
  respondAsync: boolean
  traceparent: string
  address: string
}

/** Posts one transaction and answers it: 201 with the transaction, 202 where the caller prefers not to wait
 * for it, or the problem that it was refused with. Throws a ProblemError: 400 for an amount that is none,
 * or too much metadata; 403 for a value date that the caller may not give. */
export async function moveMoney(
  type: TransactionType,
  request: MoneyRouteRequest,
  tools: Tools,
  poster: Poster,
): Promise<Reply> {
  const { body, caller, idempotencyKey, traceparent, respondAsync, address } = request
  const minorUnits = readAmount(body.amount, body.currency ?? 'USD', '/amount')
  requireMetadata(body)
  requireMayDate(body, caller)
  const asked = { operation: operationOf[type], caller, idempotencyKey, traceparent, address }
  const posting = toPosting(type, body, minorUnits, asked)
  if (respondAsync) return requestTransaction(posting, caller, tools)
  return toReply(posting, await poster.post(posting), caller)
}

/** Consumer of the orders that the operation has answered with 202. A refusal is an outcome here too: it is
 * kept with the transaction, and stated as transaction.rejected. While the database is away, the order waits
 * in the Broker. While postings in its currency are stopped, it waits in the ledger: sweep-ledger posts it
 * when the stop is lifted. If it was taken without being stored, its event ends as a dead letter. */
export const postRequested: Consumer<Poster> = {
  contracts: [transactionRequested],
  async receive(event, tools, poster, { traceparent }) {
    const order = event.data as TransactionRequested
    checkSignature(order, event.ordersignature, tools.config.REQUEST_SIGNING_KEY)
    const posting = toRequestedPosting(order, traceparent)
    try {
      await poster.post(posting)
    } catch (error) {
      if (error instanceof LedgerStoppedError && (await isStored(posting.id, tools))) return
      if (!(error instanceof UnavailableError) || !isOld(event.time)) throw error
      await parkOrder(toEvent(order, traceparent, String(event.ordersignature)), tools)
    }
  },
}

async function isStored(id: string, { db }: Pick<Tools, 'db'>): Promise<boolean> {
  const rows = await db.query({ text: 'select from transactions where id = $1', values: [id] })
  return rows.length > 0
}

/** Returns the answer for a posting: 201 with the transaction, or the problem that it was refused with. */
export function toReply(posting: PostingRequest, outcome: PostingOutcome, caller: Caller): Reply {
  const reply = outcome.outcome === 'posted' ? toCreated(posting, outcome, caller) : refusal(outcome.outcome)
  return outcome.replayed ? replayed(reply) : reply
}

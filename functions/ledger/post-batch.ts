import type { PendingEvent } from '../../eventing/outbox-event.ts'
import type { Transaction } from '../host/database/database.ts'
import { once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import type { Tools } from '../host/tools.ts'
import { postAllOrNothing, type PostedBatch } from './posting/atomic-batch.ts'
import {
  batchedSchema,
  batchSchema,
  readBatch,
  toBatchOutcome,
  toResults,
  type BatchedTransaction,
  type BatchOutcome,
} from './posting/batch.ts'
import { createFollowUp, type FollowUp } from './posting/follow-up.ts'
import { postTransactions } from './posting/post.ts'
import type { PostingRequest } from './posting/posting-request.ts'
import { ledgerStopped } from './stops/stopped.ts'

const ITEMS_MAX = 1000

export default operation({
  name: 'post-batch',
  context: 'ledger',
  summary: 'Posts many deposits, withdrawals and transfers in one request',
  state: (tools: Tools) => createFollowUp(tools),
  routes: [
    route({
      method: 'POST',
      path: '/transactions/batch',
      // Each transaction is checked for whose money it moves, as if it came alone.
      who: 'signed-in',
      summary:
        'Up to 1000 transactions, posted in this order; if one is refused, the others are still posted, unless `atomic`',
      // Bytes; enough for a thousand transfers with short descriptions.
      bodyBytesMax: 512_000,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['transactions'],
        properties: {
          transactions: {
            type: 'array',
            minItems: 1,
            maxItems: ITEMS_MAX,
            // If there are too many items, only their number is reported. Listing the faults of every item of
            // a large body could take a hundred times the body's memory.
            if: { maxItems: ITEMS_MAX },
            then: { items: batchedSchema },
          },
          atomic: { type: 'boolean', default: false },
        },
      },
      answers: { 200: batchSchema },
      problems: [problems.forbidden, ledgerStopped],
      // The key covers the whole batch. `Prefer: respond-async` is not honoured: a batch must be stored
      // either way, and storing it takes as long as posting it.
      idempotent: true,
      audits: 'books',
      handle: async (
        { body, caller, idempotencyKey, traceparent, address },
        { db, outbox },
        followUp: FollowUp,
      ) => {
        const postings = readBatch(body.transactions as BatchedTransaction[], {
          operation: 'post-batch',
          caller,
          traceparent,
          address,
        })
        const post = body.atomic ? postAllOrNothing : postEach
        let events: readonly PendingEvent[] = []
        const reply = await db.transaction((tx) => {
          events = []
          return once(tx, 'post-batch', idempotencyKey, async () => {
            const posted = await post(tx, postings)
            events = posted.events
            return { status: 200, body: posted.outcome }
          })
        })
        outbox.publish(events)
        if (events.length > 0) followUp.note(postings)
        if (reply.status !== 200) return reply
        return { ...reply, body: toResults(reply.body as BatchOutcome, postings, caller) }
      },
    }),
  ],
})

async function postEach(tx: Transaction, postings: PostingRequest[]): Promise<PostedBatch> {
  const { outcomes, events } = await postTransactions(tx, postings)
  return { outcome: toBatchOutcome(outcomes), events }
}

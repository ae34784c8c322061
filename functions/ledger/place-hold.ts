import { located } from '../host/answer-of.ts'
import { replayed } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import type { Reply } from '../host/reply.ts'
import { shortText, uuidSchema } from '../host/schema.ts'
import { expiryOf, holdSchema, toHold } from './holds/hold.ts'
import type { Poster, PostingOutcome } from './posting/post.ts'
import { toPosting, type PostingRequest } from './posting/posting-request.ts'
import { holdProblems, postingProblems, refusal } from './posting/refusals.ts'
import { createSubjectPoster } from './posting/subjects.ts'
import { ledgerStopped } from './stops/stopped.ts'
import { amountSchema, currencySchema, readAmount } from '../host/values/money.ts'

const DAY_SECONDS = 86_400

export default operation({
  name: 'place-hold',
  context: 'ledger',
  summary: 'Sets money of an account aside, for a later capture',
  state: createSubjectPoster,
  routes: [
    route({
      method: 'POST',
      path: '/holds',
      who: 'signed-in',
      onBehalf: ['payments'],
      summary: 'Place a hold; expires_in is in seconds (a week, if it is left out)',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_id', 'amount'],
        properties: {
          account_id: uuidSchema,
          amount: amountSchema,
          currency: currencySchema,
          description: shortText,
          expires_in: { type: 'integer', minimum: 1, maximum: 366 * DAY_SECONDS, default: 7 * DAY_SECONDS },
        },
      },
      answers: { 201: located(holdSchema) },
      problems: [...Object.values(postingProblems), holdProblems['too-many-holds'], ledgerStopped],
      idempotent: true,
      audits: 'books',
      handle: async ({ body, caller, idempotencyKey, traceparent, address }, _tools, poster: Poster) => {
        const asked = { operation: 'place-hold', caller, idempotencyKey, traceparent, address }
        const movement = toPosting(null, body, readAmount(body.amount, body.currency, '/amount'), asked)
        const posting: PostingRequest = {
          ...movement,
          step: 'place',
          hold_id: movement.id,
          expires_in: body.expires_in,
        }
        const outcome = await poster.post(posting)
        if (outcome.outcome === 'posted') return toPlaced(posting, outcome)
        return outcome.replayed ? replayed(refusal(outcome.outcome)) : refusal(outcome.outcome)
      },
    }),
  ],
})

/** Makes the answer for a hold that was placed now, or by an earlier request with the same key. Both say what
 * the hold was like when it was placed. */
function toPlaced(
  posting: PostingRequest,
  { replayed: isReplay, transactionId: id, postedAt }: PostingOutcome & { outcome: 'posted' },
): Reply {
  const placed = toHold(
    {
      id,
      account_id: posting.account_id,
      amount: BigInt(posting.amount),
      currency: posting.currency,
      status: 'open',
      description: posting.description,
      captured: null,
      transaction_id: null,
      placed_by: posting.caller_id,
      via: posting.via,
      created_at: postedAt,
      expires_at: expiryOf(postedAt, posting.expires_in!),
      ended_at: null,
    },
    { userId: posting.caller_id, role: posting.caller_role },
  )
  const reply = { status: 201, headers: { location: `/api/holds/${id}` }, body: placed }
  return isReplay ? replayed(reply) : reply
}

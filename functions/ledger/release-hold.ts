import { replayed } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import { idParams } from '../host/schema.ts'
import { findHold, holdSchema, toHold } from './holds/hold.ts'
import type { Poster } from './posting/post.ts'
import { toPosting } from './posting/posting-request.ts'
import { holdProblems, refusal } from './posting/refusals.ts'
import { createSubjectPoster } from './posting/subjects.ts'
import { ledgerStopped } from './stops/stopped.ts'

export default operation({
  name: 'release-hold',
  context: 'ledger',
  summary: 'Releases a hold: all its money is available again',
  state: createSubjectPoster,
  routes: [
    route({
      method: 'POST',
      path: '/holds/{id}/release',
      who: 'signed-in',
      onBehalf: ['payments'],
      summary: 'Release a hold',
      params: idParams,
      body: { type: 'object', additionalProperties: false, properties: {} },
      answers: { 200: holdSchema },
      problems: [...Object.values(holdProblems), ledgerStopped],
      idempotent: true,
      audits: 'books',
      handle: async (request, { db }, poster: Poster) => {
        const { params, caller, idempotencyKey, traceparent, address } = request
        const hold = await findHold(db, params.id, caller)
        if (!hold) return refusal('hold-not-found')
        const asked = { operation: 'release-hold', caller, idempotencyKey, traceparent, address }
        const outcome = await poster.post({
          ...toPosting(null, hold, hold.amount, asked),
          step: 'release',
          hold_id: hold.id,
        })
        const reply =
          outcome.outcome === 'posted'
            ? {
                status: 200,
                body: toHold({ ...hold, status: 'released', ended_at: outcome.postedAt }, caller),
              }
            : refusal(outcome.outcome)
        return outcome.replayed ? replayed(reply) : reply
      },
    }),
  ],
})

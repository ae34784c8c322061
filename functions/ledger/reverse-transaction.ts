import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import { idParams, shortText } from '../host/schema.ts'
import { toReply } from './posting/move-money.ts'
import type { Poster } from './posting/post.ts'
import { toReversal } from './posting/reversal.ts'
import { postingProblems, refusal, reversalProblems, transactionNotFound } from './posting/refusals.ts'
import { createSubjectPoster } from './posting/subjects.ts'
import { ledgerStopped } from './stops/stopped.ts'
import { transactionSchema } from './transactions/transaction.ts'

export default operation({
  name: 'reverse-transaction',
  context: 'ledger',
  summary: 'Takes a transaction back, by a transaction that moves its money the other way',
  state: createSubjectPoster,
  routes: [
    route({
      method: 'POST',
      path: '/transactions/{id}/reverse',
      who: 'operator',
      summary: 'Reverse a completed transaction, once; the reversal can be reversed in turn',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['reason'],
        properties: { reason: { ...shortText, minLength: 1 } },
      },
      answers: { 201: transactionSchema },
      problems: [
        problems.notFound,
        ...Object.values(postingProblems),
        ...Object.values(reversalProblems),
        ledgerStopped,
      ],
      idempotent: true,
      audits: 'books',
      handle: async (request, { db }, poster: Poster) => {
        const { body, params, caller, idempotencyKey, traceparent, address } = request
        const asked = { operation: 'reverse-transaction', caller, idempotencyKey, traceparent, address }
        const reversal = await toReversal(db, params.id, body.reason, asked)
        if (!reversal) return transactionNotFound()
        if (reversal === 'pending') return refusal('not-completed')
        return toReply(reversal, await poster.post(reversal), caller)
      },
    }),
  ],
})

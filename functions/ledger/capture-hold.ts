import { operation, route } from '../host/operation.ts'
import { idParams, uuidSchema } from '../host/schema.ts'
import { findHold } from './holds/hold.ts'
import { toReply } from './posting/move-money.ts'
import type { Poster } from './posting/post.ts'
import { toPosting } from './posting/posting-request.ts'
import { holdProblems, postingProblems, refusal } from './posting/refusals.ts'
import { createSubjectPoster } from './posting/subjects.ts'
import { ledgerStopped } from './stops/stopped.ts'
import { transactionSchema } from './transactions/transaction.ts'
import { amountSchema, readAmount } from '../host/values/money.ts'

export default operation({
  name: 'capture-hold',
  context: 'ledger',
  summary: 'Takes money of a hold: transfers it to an account, and releases the rest',
  state: createSubjectPoster,
  routes: [
    route({
      method: 'POST',
      path: '/holds/{id}/capture',
      who: 'signed-in',
      onBehalf: ['payments'],
      summary: 'Capture a hold, once; without an amount, all of it',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['to_account_id'],
        properties: { to_account_id: uuidSchema, amount: amountSchema },
      },
      answers: { 201: transactionSchema },
      problems: [...Object.values(postingProblems), ...Object.values(holdProblems), ledgerStopped],
      idempotent: true,
      audits: 'books',
      handle: async (request, { db }, poster: Poster) => {
        const { body, params, caller, idempotencyKey, traceparent, address } = request
        // Account, amount and currency of a hold never change. Its status is read again when it is captured.
        const hold = await findHold(db, params.id, caller)
        if (!hold) return refusal('hold-not-found')
        const { currency } = hold
        const amount = body.amount === undefined ? hold.amount : readAmount(body.amount, currency, '/amount')
        const movement = { ...hold, to_account_id: body.to_account_id }
        const asked = { operation: 'capture-hold', caller, idempotencyKey, traceparent, address }
        const posting = toPosting('transfer', movement, amount, asked)
        const capture = { ...posting, step: 'capture', hold_id: hold.id } as const
        return toReply(capture, await poster.post(capture), caller)
      },
    }),
  ],
})

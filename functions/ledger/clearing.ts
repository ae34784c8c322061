import type { Database } from '../host/database/database.ts'
import { operation, route } from '../host/operation.ts'
import { idParams, shortText, uuidSchema } from '../host/schema.ts'
import { amountSchema, currencySchema, readAmount } from '../host/values/money.ts'
import { findHold } from './holds/hold.ts'
import { toReply } from './posting/move-money.ts'
import type { Poster } from './posting/post.ts'
import { toPosting } from './posting/posting-request.ts'
import { holdProblems, postingProblems, refusal } from './posting/refusals.ts'
import { createSubjectPoster } from './posting/subjects.ts'
import { ledgerStopped } from './stops/stopped.ts'
import { transactionSchema } from './transactions/transaction.ts'

/** Money that a payment provider has collected for a customer, or paid out for them. Its other side is on the
 * system account `clearing` of the currency, which so says what the provider owes the bank. SQL accepts that
 * account from no other operation. */
export default operation({
  name: 'clearing',
  context: 'ledger',
  summary: 'Books what a payment provider has collected or paid out',
  state: createSubjectPoster,
  routes: [
    route({
      method: 'POST',
      path: '/clearing/deposits',
      who: 'contexts',
      onBehalf: ['payments'],
      summary: 'Credit an account of the customer with what a provider has collected',
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['account_id', 'amount', 'currency'],
        properties: {
          account_id: uuidSchema,
          amount: amountSchema,
          currency: currencySchema,
          description: shortText,
        },
      },
      answers: { 201: transactionSchema },
      problems: [...Object.values(postingProblems), ledgerStopped],
      idempotent: true,
      audits: 'books',
      handle: async ({ body, caller, idempotencyKey, traceparent, address }, { db }, poster: Poster) => {
        const amount = readAmount(body.amount, body.currency, '/amount')
        const movement = { ...body, to_account_id: await openClearing(db, body.currency) }
        const asked = { operation: 'clearing', caller, idempotencyKey, traceparent, address }
        const posting = toPosting('deposit', movement, amount, asked)
        return toReply(posting, await poster.post(posting), caller)
      },
    }),
    route({
      method: 'POST',
      path: '/clearing/holds/{id}/capture',
      who: 'contexts',
      onBehalf: ['payments'],
      summary: 'Take all of a hold, because a provider has paid it out',
      params: idParams,
      body: { type: 'object', additionalProperties: false, properties: {} },
      answers: { 201: transactionSchema },
      problems: [...Object.values(postingProblems), ...Object.values(holdProblems), ledgerStopped],
      idempotent: true,
      audits: 'books',
      handle: async ({ params, caller, idempotencyKey, traceparent, address }, { db }, poster: Poster) => {
        const hold = await findHold(db, params.id, caller)
        if (!hold) return refusal('hold-not-found')
        const movement = { ...hold, to_account_id: await openClearing(db, hold.currency) }
        const asked = { operation: 'clearing', caller, idempotencyKey, traceparent, address }
        const posting = toPosting('transfer', movement, hold.amount, asked)
        const capture = { ...posting, step: 'capture', hold_id: hold.id } as const
        return toReply(capture, await poster.post(capture), caller)
      },
    }),
  ],
})

async function openClearing(db: Database, currency: string): Promise<string> {
  const [row] = await db.query<{ id: string }>({
    name: 'clearing-open',
    text: 'select open_clearing_account($1) as id',
    values: [currency],
  })
  return row!.id
}

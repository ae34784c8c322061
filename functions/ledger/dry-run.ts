import type { Database } from '../host/database/database.ts'
import { operation, route } from '../host/operation.ts'
import type { Reply } from '../host/reply.ts'
import { personalText } from '../host/schema.ts'
import { roomSchema, toRoom, type RoomRow } from './policies/limits-view.ts'
import { invalidBody } from './policies/policy-body.ts'
import { batchedSchema, checkFields } from './posting/batch.ts'
import { requireMayDate, requireMetadata } from './posting/money-request.ts'
import type { PostingFailure } from './posting/post.ts'
import { toRecords } from './posting/posting-records.ts'
import { toPosting, type PostingRequest } from './posting/posting-request.ts'
import { ledgerStopped, toStopped } from './stops/stopped.ts'
import { formatAmount, readAmount } from '../host/values/money.ts'
import { uuidv7 } from './values/uuid.ts'

const stringOrNull = { type: ['string', 'null'] } as const

const dryRunSchema = {
  title: 'DryRun',
  type: 'object',
  additionalProperties: false,
  required: ['allowed', 'refusal', 'fee', 'balance_after', 'available_after', 'limits'],
  properties: {
    allowed: { type: 'boolean' },
    // Name of the problem with which the transaction would be refused.
    refusal: stringOrNull,
    fee: stringOrNull,
    balance_after: stringOrNull,
    available_after: stringOrNull,
    // Null if the account has none.
    limits: { anyOf: [roomSchema, { type: 'null' }] },
  },
} as const

export default operation({
  name: 'dry-run',
  context: 'ledger',
  summary: 'Tells what a deposit, withdrawal or transfer would cost, or why it would be refused',
  routes: [
    route({
      method: 'POST',
      path: '/transactions/dry-run',
      // As for posting, each caller is told only what they may do.
      who: 'signed-in',
      summary: 'Try out a transaction; nothing is changed. Balances and limits are as they would be after it',
      body: {
        ...batchedSchema,
        title: 'DryRunRequest',
        properties: { ...batchedSchema.properties, description: personalText },
      },
      answers: { 200: dryRunSchema },
      problems: [ledgerStopped],
      // An operator learns a customer's balance.
      audits: 'read',
      handle: async ({ body, caller, traceparent, address }, { db }) => {
        const { type, currency = 'USD' } = body
        const faults = checkFields(body)
        if (faults.length > 0) throw invalidBody(faults)
        const minorUnits = readAmount(body.amount, currency, '/amount')
        requireMetadata(body)
        requireMayDate(body, caller)
        const asked = { operation: 'dry-run', caller, traceparent, address }
        return tryOut(db, toPosting(type, body, minorUnits, asked))
      },
    }),
  ],
})

interface DryRunRow extends RoomRow {
  outcome: 'posted' | PostingFailure
  user_id: string | null
  currency: string | null
  fee: bigint | null
  balance_after: bigint | null
  available_after: bigint | null
}

async function tryOut(db: Database, posting: PostingRequest): Promise<Reply> {
  const rows = db.query<DryRunRow>({
    name: 'dry-run',
    text: `select outcome, user_id, currency, fee, balance_after, available_after, (room).*
      from dry_run(($1::posting_request[])[1])`,
    values: [toRecords([posting], [uuidv7()])],
    traceparents: [posting.traceparent],
  })
  const [row] = await rows.catch((error: unknown) => {
    throw toStopped(error)
  })
  const { outcome, ...found } = row!
  const currency = found.currency ?? posting.currency
  const money = (minorUnits: bigint | null): string | null =>
    minorUnits === null ? null : formatAmount(minorUnits, currency)
  const body = {
    allowed: outcome === 'posted',
    refusal: outcome === 'posted' ? null : outcome,
    fee: money(found.fee),
    balance_after: money(found.balance_after),
    available_after: money(found.available_after),
    limits: found.time_zone === null ? null : toRoom(found, currency),
  }
  return { status: 200, body, about: { subject: posting.account_id, ownerId: found.user_id } }
}

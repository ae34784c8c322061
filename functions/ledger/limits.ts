import { limitsChanged } from '../../eventing/contracts/limits.changed.ts'
import { sqlstate, type Transaction } from '../host/database/database.ts'
import { once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import { idParams } from '../host/schema.ts'
import { findAccount, type AccountRow } from './accounts/account.ts'
import {
  limitsSchema,
  toAmounts,
  toRoom,
  type LimitAmounts,
  type LimitsRow,
  type RoomRow,
} from './policies/limits-view.ts'
import { inThePast, invalidBody, policyFields, readValidFrom } from './policies/policy-body.ts'
import { accountNotFound, postingProblems } from './posting/refusals.ts'
import { amountOrZeroSchema, readAmount } from '../host/values/money.ts'

const amountOrNull = { anyOf: [...amountOrZeroSchema.anyOf, { type: 'null' }], default: null } as const

const INVALID_PARAMETER_VALUE = '22023'

export default operation({
  name: 'limits',
  context: 'ledger',
  summary: 'Shows and sets how much may go out of an account',
  routes: [
    route({
      method: 'GET',
      path: '/accounts/{id}/limits',
      who: 'signed-in',
      summary:
        'Limits in force, what they leave, and limits to come; customers see those of their own accounts',
      params: idParams,
      answers: { 200: limitsSchema },
      problems: [postingProblems['account-not-found']],
      handle: async ({ params: { id }, caller }, { db }) => {
        const account = await findAccount(db, id, caller)
        if (!account) return accountNotFound()
        return { status: 200, body: await show(db, account), about: { ownerId: account.user_id } }
      },
    }),
    route({
      method: 'PUT',
      path: '/accounts/{id}/limits',
      who: 'operator',
      summary: 'Set the limits, from now or from a moment to come; what is left out is not limited',
      params: idParams,
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['time_zone', 'reason'],
        properties: {
          transaction_max: amountOrNull,
          day_max: amountOrNull,
          month_max: amountOrNull,
          // Postgres would also take rules like "ABC+5", which nobody means.
          time_zone: {
            type: 'string',
            maxLength: 64,
            pattern: '^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+){1,2})$',
          },
          ...policyFields,
        },
      },
      answers: { 200: limitsSchema },
      problems: [postingProblems['account-not-found']],
      idempotent: true,
      handle: async ({ params: { id }, body, caller, idempotencyKey, traceparent }, { transact }) => {
        const validFrom = readValidFrom(body.valid_from)
        return transact(traceparent, (tx) =>
          once(tx, 'limits', idempotencyKey, async () => {
            const account = await findAccount(tx, id, caller)
            if (!account) return accountNotFound()
            const row = await set(tx, account, { ...body, validFrom, setBy: caller.userId })
            tx.emit(limitsChanged, {
              subject: account.id,
              partitionkey: account.id,
              data: {
                account_id: account.id,
                user_id: account.user_id,
                version: row.version,
                currency: account.currency,
                ...toAmounts(row, account.currency),
                time_zone: row.time_zone,
                valid_from: row.valid_from.toISOString(),
                set_by: row.set_by,
                reason: row.reason,
                timestamp: row.set_at.toISOString(),
              },
            })
            return { status: 200, body: await show(tx, account), about: { ownerId: account.user_id } }
          }),
        )
      },
    }),
  ],
})

interface NewLimits {
  transaction_max: string | number | null
  day_max: string | number | null
  month_max: string | number | null
  time_zone: string
  reason: string
  validFrom: Date | null
  setBy: string
}

type SetRow = { refusal: 'account-not-found' | 'in-the-past' } | ({ refusal: null } & LimitsRow)

/** Adds a version of an account's limits. Throws a ProblemError (400) for an amount that is none, an unknown
 * time zone, and a moment that is past. */
async function set(tx: Transaction, { id, currency }: AccountRow, limits: NewLimits): Promise<LimitsRow> {
  const read = (name: keyof LimitAmounts): bigint | null =>
    limits[name] === null ? null : readAmount(limits[name], currency, `/${name}`, { zero: true })
  const amounts = [read('transaction_max'), read('day_max'), read('month_max')]
  const [row] = await tx
    .query<SetRow>({
      text: 'select refusal, (limits).* from set_limits($1, $2, $3, $4, $5, $6, $7, $8)',
      values: [id, ...amounts, limits.time_zone, limits.validFrom, limits.setBy, limits.reason],
    })
    .catch((error: unknown) => {
      if (sqlstate(error) !== INVALID_PARAMETER_VALUE) throw error
      throw invalidBody([{ path: '/time_zone', message: 'must be a time zone, like "Europe/Berlin"' }])
    })
  if (row!.refusal === 'in-the-past') throw inThePast()
  if (row!.refusal !== null) throw new Error(`an account that was just read gave ${row!.refusal}`)
  return row!
}

async function show(tx: Transaction, { id, currency }: AccountRow) {
  const [room] = await tx.query<RoomRow>({
    name: 'limit-room',
    text: 'select * from limit_room_of($1, clock_timestamp())',
    values: [id],
  })
  const coming = await tx.query<LimitsRow>({
    name: 'limits-to-come',
    text: 'select * from limits_from($1, clock_timestamp()) where valid_from > clock_timestamp()',
    values: [id],
  })
  return {
    account_id: id,
    currency,
    version: room!.version,
    valid_from: room!.valid_from?.toISOString() ?? null,
    time_zone: room!.time_zone,
    ...toRoom(room!, currency),
    coming: coming.map((row) => ({
      version: row.version,
      valid_from: row.valid_from.toISOString(),
      ...toAmounts(row, currency),
    })),
  }
}

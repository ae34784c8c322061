import { uuidSchema } from '../../host/schema.ts'
import { formatAmount } from '../../host/values/money.ts'

const stringOrNull = { type: ['string', 'null'] } as const
const momentOrNull = { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] } as const

const amounts = { transaction_max: stringOrNull, day_max: stringOrNull, month_max: stringOrNull } as const
const amountNames = ['transaction_max', 'day_max', 'month_max'] as const

/** What may still go out of an account, and what has gone out; null where there is no such limit. */
const room = {
  ...amounts,
  day_used: stringOrNull,
  day_remaining: stringOrNull,
  month_used: stringOrNull,
  month_remaining: stringOrNull,
} as const
const roomNames = [...amountNames, 'day_used', 'day_remaining', 'month_used', 'month_remaining'] as const

/** Schema of the room that limits leave, as a dry run answers it. */
export const roomSchema = {
  title: 'Room',
  type: 'object',
  additionalProperties: false,
  required: roomNames,
  properties: room,
} as const

/** Schema of an account's limits as they are answered. */
export const limitsSchema = {
  title: 'Limits',
  type: 'object',
  additionalProperties: false,
  required: ['account_id', 'currency', 'version', 'valid_from', 'time_zone', ...roomNames, 'coming'],
  properties: {
    account_id: uuidSchema,
    currency: { type: 'string' },
    version: { type: ['integer', 'null'] },
    valid_from: momentOrNull,
    time_zone: stringOrNull,
    ...room,
    coming: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['version', 'valid_from', ...amountNames],
        properties: {
          version: { type: 'integer' },
          valid_from: { type: 'string', format: 'date-time' },
          ...amounts,
        },
      },
    },
  },
} as const

/** The most that may go out of an account, in minor units; null: no such limit. */
export interface LimitAmounts {
  transaction_max: bigint | null
  day_max: bigint | null
  month_max: bigint | null
}

/** A row of account_limits. */
export interface LimitsRow extends LimitAmounts {
  account_id: string
  version: number
  valid_from: Date
  time_zone: string
  set_by: string
  set_at: Date
  reason: string
}

/** The SQL type limit_room. Without limits in force, only the time zone and what was used are not null;
 * without any limits ever, all is null. */
export interface RoomRow extends LimitAmounts {
  version: number | null
  valid_from: Date | null
  time_zone: string | null
  day_used: bigint | null
  month_used: bigint | null
}

export const toAmounts = (row: LimitAmounts, currency: string) => ({
  transaction_max: orNull(row.transaction_max, currency),
  day_max: orNull(row.day_max, currency),
  month_max: orNull(row.month_max, currency),
})

/** Returns limits, and what they leave, as the API shows them. What has gone out is shown only for a window
 * that has a limit: otherwise nobody may have counted it. */
export const toRoom = (row: RoomRow, currency: string) => ({
  ...toAmounts(row, currency),
  day_used: row.day_max === null ? null : orNull(row.day_used, currency),
  day_remaining: remaining(row.day_max, row.day_used, currency),
  month_used: row.month_max === null ? null : orNull(row.month_used, currency),
  month_remaining: remaining(row.month_max, row.month_used, currency),
})

const orNull = (minorUnits: bigint | null, currency: string): string | null =>
  minorUnits === null ? null : formatAmount(minorUnits, currency)

/** More may be used than is allowed, if the limit was lowered; then nothing remains. */
function remaining(max: bigint | null, used: bigint | null, currency: string): string | null {
  if (max === null) return null
  const left = max - (used ?? 0n)
  return formatAmount(left > 0n ? left : 0n, currency)
}

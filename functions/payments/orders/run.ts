import { orNull, uuidSchema } from '../../host/schema.ts'
import { formatAmount } from '../../host/values/money.ts'

/** 'pending' until its outcome is known. 'skipped' if nothing was to be paid: the order was paused, or a
 * later run stands for it. */
export const runStatuses = ['pending', 'paid', 'failed', 'skipped'] as const

export const runSchema = {
  title: 'OrderRun',
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'number',
    'due_at',
    'amount',
    'currency',
    'status',
    'attempts',
    'transaction_id',
    'problem',
    'next_attempt_at',
    'ended_at',
  ],
  properties: {
    id: uuidSchema,
    // Which one of the schedule; 1 is the first.
    number: { type: 'integer' },
    due_at: { type: 'string', format: 'date-time' },
    amount: { type: 'string' },
    currency: { type: 'string' },
    status: { enum: runStatuses },
    attempts: { type: 'integer' },
    transaction_id: orNull(uuidSchema),
    // Name of the last refusal.
    problem: orNull({ type: 'string' }),
    next_attempt_at: orNull({ type: 'string', format: 'date-time' }),
    ended_at: orNull({ type: 'string', format: 'date-time' }),
  },
} as const

/** A run as stored in the database. The amount is in minor units. */
export interface RunRow {
  id: string
  order_id: string
  number: number
  due_at: Date
  account_id: string
  to_account_id: string
  amount: bigint
  currency: string
  description: string | null
  status: (typeof runStatuses)[number]
  attempt: number
  called_at: Date | null
  next_attempt_at: Date
  transaction_id: string | null
  problem: string | null
  created_at: Date
  ended_at: Date | null
}

/** A run that is about to be paid. */
export interface ClaimedRun extends RunRow {
  /** Owner of its order. */
  user_id: string
  /** The ledger was called so long ago that it may have forgotten the key. */
  is_too_old: boolean
}

/** Returns a run as the API shows it. */
export const toRun = (row: RunRow) => ({
  id: row.id,
  number: row.number,
  due_at: row.due_at.toISOString(),
  amount: formatAmount(row.amount, row.currency),
  currency: row.currency,
  status: row.status,
  attempts: row.called_at ? row.attempt : row.attempt - 1,
  transaction_id: row.transaction_id,
  problem: row.problem,
  next_attempt_at: row.status === 'pending' ? row.next_attempt_at.toISOString() : null,
  ended_at: row.ended_at?.toISOString() ?? null,
})

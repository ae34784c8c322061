import type { Transaction } from '../../host/database/database.ts'
import { define } from '../../host/problems.ts'
import { orNull, uuidSchema } from '../../host/schema.ts'
import { formatAmount } from '../../host/values/money.ts'

export const payoutSchema = {
  title: 'Payout',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'user_id', 'account_id', 'currency', 'status', 'counts', 'created_at', 'completed_at'],
  properties: {
    id: uuidSchema,
    user_id: uuidSchema,
    account_id: uuidSchema,
    currency: { type: 'string' },
    status: { enum: ['running', 'completed'] },
    counts: {
      type: 'object',
      additionalProperties: false,
      required: ['pending', 'paid', 'refused'],
      properties: {
        pending: { type: 'integer' },
        paid: { type: 'integer' },
        refused: { type: 'integer' },
      },
    },
    created_at: { type: 'string', format: 'date-time' },
    completed_at: orNull({ type: 'string', format: 'date-time' }),
  },
} as const

export const payoutItemSchema = {
  title: 'PayoutItem',
  type: 'object',
  additionalProperties: false,
  required: ['number', 'to_account_id', 'email', 'amount', 'note', 'status', 'transaction_id', 'problem'],
  properties: {
    // Its place in the request; 1 is the first.
    number: { type: 'integer' },
    to_account_id: orNull(uuidSchema),
    email: orNull({ type: 'string' }),
    amount: { type: 'string' },
    note: orNull({ type: 'string' }),
    status: { enum: ['pending', 'paid', 'refused'] },
    transaction_id: orNull(uuidSchema),
    // Name of the refusal.
    problem: orNull({ type: 'string' }),
  },
} as const

export interface PayoutCounts {
  pending: number
  paid: number
  refused: number
}

/** A payout as stored in the database. */
export interface PayoutRow {
  id: string
  user_id: string
  account_id: string
  currency: string
  status: 'running' | 'completed'
  created_at: Date
  completed_at: Date | null
}

/** An item as stored in the database. The amount is in minor units. */
export interface PayoutItemRow {
  number: number
  to_account_id: string | null
  email: string | null
  amount: bigint
  note: string | null
  status: 'pending' | 'paid' | 'refused'
  transaction_id: string | null
  problem: string | null
}

export const payoutColumns = 'id, user_id, account_id, currency, status, created_at, completed_at'

export const payoutNotFound = define('payout-not-found', 404, 'There is no such payout')

/** Returns a payout as the API shows it. */
export const toPayout = (row: PayoutRow, counts: PayoutCounts) => ({
  id: row.id,
  user_id: row.user_id,
  account_id: row.account_id,
  currency: row.currency,
  status: row.status,
  counts,
  created_at: row.created_at.toISOString(),
  completed_at: row.completed_at?.toISOString() ?? null,
})

/** Returns an item as the API shows it. Of a payee by email address, nobody learns the account. */
export const toPayoutItem = (row: PayoutItemRow, currency: string) => ({
  number: row.number,
  to_account_id: row.email === null ? row.to_account_id : null,
  email: row.email,
  amount: formatAmount(row.amount, currency),
  note: row.note,
  status: row.status,
  transaction_id: row.transaction_id,
  problem: row.problem,
})

/** The columns of PayoutCounts, over payout_items. */
export const COUNTS = `count(*) filter (where status = 'pending')::integer as pending,
  count(*) filter (where status = 'paid')::integer as paid,
  count(*) filter (where status = 'refused')::integer as refused`

/** Counts the items of a payout by their status. */
export async function countItems(tx: Transaction, id: string): Promise<PayoutCounts> {
  const [row] = await tx.query<PayoutCounts>({
    name: 'payout-counts',
    text: `select ${COUNTS} from payout_items where payout_id = $1`,
    values: [id],
  })
  return row!
}

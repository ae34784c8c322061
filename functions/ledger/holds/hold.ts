import type { Transaction } from '../../host/database/database.ts'
import type { Caller } from '../../host/route-request.ts'
import { orNull, uuidSchema } from '../../host/schema.ts'
import { ownerSeenBy } from '../accounts/account.ts'
import { formatAmount } from '../../host/values/money.ts'

/** A new hold is placed. A hold ends when it is captured or released, or when it expires. */
export type HoldStep = 'place' | 'capture' | 'release'

export const holdStatuses = ['open', 'captured', 'released', 'expired'] as const

export const holdSchema = {
  title: 'Hold',
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'account_id',
    'amount',
    'currency',
    'status',
    'description',
    'captured',
    'transaction_id',
    'placed_by',
    'via',
    'created_at',
    'expires_at',
    'ended_at',
  ],
  properties: {
    id: uuidSchema,
    account_id: uuidSchema,
    amount: { type: 'string' },
    currency: { type: 'string' },
    status: { enum: holdStatuses },
    description: orNull({ type: 'string' }),
    // How much of it was captured, by which transaction.
    captured: orNull({ type: 'string' }),
    transaction_id: orNull(uuidSchema),
    // Null for customers if it was an operator.
    placed_by: orNull(uuidSchema),
    // The context that placed it on their behalf. Only that context, and operators, can end it.
    via: orNull({ type: 'string' }),
    created_at: { type: 'string', format: 'date-time' },
    expires_at: { type: 'string', format: 'date-time' },
    ended_at: orNull({ type: 'string', format: 'date-time' }),
  },
} as const

/** A hold as stored in the database. Amounts are in minor units. */
export interface HoldRow {
  id: string
  account_id: string
  amount: bigint
  currency: string
  status: (typeof holdStatuses)[number]
  description: string | null
  captured: bigint | null
  transaction_id: string | null
  placed_by: string
  via: string | null
  created_at: Date
  expires_at: Date
  ended_at: Date | null
  /** Owner of the account. */
  user_id?: string
}

const holdColumns = `h.id, h.account_id, h.amount, h.currency, h.status, h.description, h.captured, h.transaction_id,
  h.placed_by, h.via, h.created_at, h.expires_at, h.ended_at, h.user_id`

/** Returns a hold as the API shows it to a caller. A hold that is due may still be `open` for a minute, but
 * can't be captured. Customers don't learn which operator placed a hold. */
export const toHold = (row: HoldRow, caller: Pick<Caller, 'userId' | 'role'>) => ({
  id: row.id,
  account_id: row.account_id,
  amount: formatAmount(row.amount, row.currency),
  currency: row.currency,
  status: row.status,
  description: row.description,
  captured: row.captured === null ? null : formatAmount(row.captured, row.currency),
  transaction_id: row.transaction_id,
  placed_by: caller.role === 'operator' || row.placed_by === caller.userId ? row.placed_by : null,
  via: row.via,
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
  ended_at: row.ended_at?.toISOString() ?? null,
})

/** Returns when a hold expires that was placed at a moment. */
export const expiryOf = (placedAt: Date, seconds: number): Date =>
  new Date(placedAt.getTime() + seconds * 1000)

/** Finds the hold with this id; undefined if there is none, or the caller may not see it: they see those on
 * their own accounts. */
export async function findHold(tx: Transaction, id: string, caller: Caller): Promise<HoldRow | undefined> {
  const [row] = await tx.query<HoldRow>({
    name: 'hold-find',
    text: `select ${holdColumns} from holds h where h.id = $1 and ($2::uuid is null or h.user_id = $2)`,
    values: [id, ownerSeenBy(caller)],
  })
  return row
}

/** Returns holds, the newest first: those of an account, of a customer, or all. */
export const listHolds = (
  tx: Transaction,
  {
    accountId,
    ownerId,
    status,
    before,
    limit,
  }: {
    accountId?: string | undefined
    ownerId?: string | undefined
    status?: HoldRow['status'] | undefined
    /** The list goes on after the hold with this id. */
    before?: string | undefined
    limit: number
  },
): Promise<HoldRow[]> =>
  // The statement has no name, so Postgres plans it for the filters given. An account or a customer has few
  // open holds, so these are found first and sorted then. Otherwise Postgres may walk all holds by their ids,
  // because it can't know that most of this owner's have ended.
  tx.query<HoldRow>({
    text: `with h as ${status === 'open' && (accountId ?? ownerId) ? 'materialized' : 'not materialized'} (
        select * from holds h
        where ($1::uuid is null or h.account_id = $1) and ($2::uuid is null or h.user_id = $2)
          and ($3::hold_status is null or h.status = $3) and ($4::uuid is null or h.id < $4)
      )
      select ${holdColumns} from h order by h.id desc limit $5`,
    values: [accountId, ownerId, status, before, limit],
  })

import type { Caller, IdempotencyKey } from '../../host/route-request.ts'
import type { TransactionType } from '../../../eventing/contracts/fields.ts'
import type { HoldStep } from '../holds/hold.ts'
import { uuidv7 } from '../values/uuid.ts'

/** The operation that moves money of each type. */
export const operationOf = {
  deposit: 'deposit',
  withdrawal: 'withdraw',
  transfer: 'transfer',
} as const satisfies Record<TransactionType, string>

/** One transaction to be posted, or one step of a hold, as the SQL type `posting_request` has it. */
export interface PostingRequest {
  id: string
  /** True if it is an order, already answered with 202. */
  requested: boolean
  operation: string
  /** Null if a hold is placed or released: that moves no money. */
  type: TransactionType | 'reversal' | null
  account_id: string
  to_account_id: string | null
  /** Minor units. */
  amount: string
  currency: string
  description: string | null
  metadata: Record<string, unknown> | null
  caller_id: string
  caller_role: 'customer' | 'operator'
  key_owner: string | null
  key: string | null
  /** Hexadecimal, with the prefix `\x`. */
  request_hash: string | null
  traceparent: string
  /** The client's address; null if it is unknown. */
  address: string | null
  /** The day from which the money counts (YYYY-MM-DD); null for the day of the posting. */
  value_date: string | null
  /** What the request does to the hold `hold_id`. A new hold has the id of its request. */
  step: HoldStep | null
  hold_id: string | null
  /** Seconds. */
  expires_in: number | null
  /** Id of the transaction to reverse, and whether the money leaves `account_id` then. */
  reverses: string | null
  is_debit: boolean | null
  /** The context that asks on behalf of the caller. */
  via: string | null
}

/** What moves, as a request over HTTP or an order says it. */
export interface Movement {
  account_id: string
  to_account_id?: string | null
  currency?: string
  description?: string | null
  metadata?: Record<string, unknown> | null
  value_date?: string | null
}

/** The request that asks for a movement: its caller and its idempotency key. */
export interface Asked {
  operation: string
  caller: Pick<Caller, 'userId' | 'role' | 'via'>
  /** Undefined where there is none, and where it stands for more than this one movement. */
  idempotencyKey?: IdempotencyKey | undefined
  /** The id that was given out with a 202, of an order; anything else gets a new one. */
  orderId?: string
  traceparent: string
  /** Empty if it is unknown. */
  address?: string
}

/** The transaction to be posted for a movement of `minorUnits`, which have been read from its amount. */
export function toPosting(
  type: PostingRequest['type'],
  movement: Movement,
  minorUnits: bigint,
  { operation, caller, idempotencyKey, orderId, traceparent, address }: Asked,
): PostingRequest {
  const currency = movement.currency ?? 'USD'
  return {
    id: orderId ?? uuidv7(),
    requested: orderId !== undefined,
    operation,
    type,
    // Lower case, as Postgres gives ids back.
    account_id: movement.account_id.toLowerCase(),
    to_account_id: movement.to_account_id?.toLowerCase() ?? null,
    amount: String(minorUnits),
    currency,
    description: movement.description ?? null,
    metadata: movement.metadata ?? null,
    caller_id: caller.userId,
    caller_role: caller.role,
    key_owner: idempotencyKey?.owner ?? null,
    key: idempotencyKey?.key ?? null,
    request_hash: idempotencyKey ? `\\x${idempotencyKey.requestHash.toString('hex')}` : null,
    traceparent,
    address: address || null,
    value_date: movement.value_date ?? null,
    step: null,
    hold_id: null,
    expires_in: null,
    reverses: null,
    is_debit: null,
    via: caller.via ?? null,
  }
}

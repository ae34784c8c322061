import type { Transaction } from '../../host/database/database.ts'
import type { Caller } from '../../host/route-request.ts'
import { orNull, uuidSchema } from '../../host/schema.ts'
import { formatAmount } from '../../host/values/money.ts'
import { KEY_DAYS_MAX } from '../calls/transfer-for.ts'
import type { ProviderOrder, ProviderTransferKind } from './provider.ts'

/** Statuses of top-ups and withdrawals. One that ends with -ing is under way; `pending` waits for the
 * provider. */
export const providerTransferStatuses = [
  ...([
    'placing',
    'asking',
    'pending',
    'crediting',
    'capturing',
    'completed',
    'releasing',
    'failed',
  ] as const),
] as const

export type ProviderTransferStatus = (typeof providerTransferStatuses)[number]
export type ProviderStep = 'placing' | 'asking' | 'crediting' | 'capturing' | 'releasing'

const ENDED: readonly ProviderTransferStatus[] = ['completed', 'failed']

/** Says whether something is to be asked of the ledger or of the provider. */
export const isStep = (status: ProviderTransferStatus): status is ProviderStep =>
  status !== 'pending' && !ENDED.includes(status)

/** Refusals of the ledger that stay: an account that is closed and a hold that has ended are never open
 * again. */
const FOR_GOOD = new Set(['account-closed', 'hold-released', 'hold-expired'])

/** Says whether the ledger will never book what the provider has settled: it refuses with every key, for
 * ever. */
export const isNeverBooked = ({ status, dispute }: Pick<ProviderTransferRow, 'status' | 'dispute'>) =>
  isBookable(status) && dispute !== null && FOR_GOOD.has(dispute)

/** Says whether the provider has settled it, and the ledger is to book it. */
export const isBookable = (status: ProviderTransferStatus): boolean =>
  status === 'crediting' || status === 'capturing'

/** What an operator can do about a dispute; see resolve.ts. */
export const resolveActions = ['dismiss', 'book', 'booked'] as const
export type ResolveAction = (typeof resolveActions)[number]

/** Returns the actions that can end the dispute of a transfer. */
export function actionsFor(
  transfer: Pick<ProviderTransferRow, 'status' | 'dispute'>,
): readonly ResolveAction[] {
  if (transfer.dispute === null) return []
  if (!isBookable(transfer.status)) return ['dismiss']
  // What the ledger may still book is not dismissed: the money would be given back and booked.
  return isNeverBooked(transfer) ? ['dismiss', 'booked'] : ['book', 'booked']
}

const shared = {
  id: uuidSchema,
  user_id: uuidSchema,
  account_id: uuidSchema,
  amount: { type: 'string' },
  currency: { type: 'string' },
  description: orNull({ type: 'string' }),
  provider: { type: 'string' },
  status: { enum: providerTransferStatuses },
  // Why it failed.
  failure: orNull({ type: 'string' }),
  // Where the customer goes on, if they have to.
  next_url: orNull({ type: 'string' }),
  transaction_id: orNull(uuidSchema),
  created_at: { type: 'string', format: 'date-time' },
  ended_at: orNull({ type: 'string', format: 'date-time' }),
  // What an operator has to look at; null for customers.
  dispute: orNull({ type: 'string' }),
  resolvable_by: {
    type: 'array',
    items: { enum: resolveActions },
    description: 'The actions that can end the dispute.',
  },
} as const

const ofWithdrawals = {
  payee_name: { type: 'string' },
  payee_account: { type: 'string' },
  hold_id: orNull(uuidSchema),
} as const

const schemaOf = <const Properties extends object>(title: string, properties: Properties) => ({
  title,
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
})

export const topUpSchema = schemaOf('TopUp', shared)
export const withdrawalSchema = schemaOf('Withdrawal', { ...shared, ...ofWithdrawals })

/** A top-up or withdrawal as stored in the database. */
export interface ProviderTransferRow {
  id: string
  kind: ProviderTransferKind
  user_id: string
  account_id: string
  /** Minor units. */
  amount: bigint
  currency: string
  description: string | null
  payee_name: string | null
  payee_account: string | null
  provider: string
  status: ProviderTransferStatus
  failure: string | null
  provider_id: string | null
  next_url: string | null
  hold_id: string | null
  transaction_id: string | null
  dispute: string | null
  attempt: number
  created_at: Date
  ended_at: Date | null
  /** The ledger was asked so long ago that it may have forgotten the key. */
  is_too_old: boolean
  /** The provider may have forgotten its key. */
  is_old: boolean
}

/** Hours for which providers keep idempotency keys, as most say: 24. */
const PROVIDER_KEY_HOURS_MAX = 20

export const providerTransferColumns = `id, kind, user_id, account_id, amount, currency, description, payee_name,
  payee_account, provider, status, failure, provider_id, next_url, hold_id, transaction_id, dispute, attempt, created_at,
  ended_at, asked_at < now() - interval '${KEY_DAYS_MAX} days' as is_too_old,
  created_at < now() - interval '${PROVIDER_KEY_HOURS_MAX} hours' as is_old`

/** Returns a top-up or withdrawal as the API shows it to a caller. */
export const toProviderTransfer = (row: ProviderTransferRow, caller: Pick<Caller, 'role'>) => ({
  id: row.id,
  user_id: row.user_id,
  account_id: row.account_id,
  amount: formatAmount(row.amount, row.currency),
  currency: row.currency,
  description: row.description,
  provider: row.provider,
  status: row.status,
  failure: row.failure,
  next_url: row.status === 'pending' ? row.next_url : null,
  transaction_id: row.transaction_id,
  created_at: row.created_at.toISOString(),
  ended_at: row.ended_at?.toISOString() ?? null,
  dispute: caller.role === 'operator' ? row.dispute : null,
  resolvable_by: caller.role === 'operator' ? actionsFor(row) : [],
  ...(row.kind === 'withdrawal' && {
    payee_name: row.payee_name!,
    payee_account: row.payee_account!,
    hold_id: row.hold_id,
  }),
})

/** Returns what a provider is told of a transfer. */
export const toOrder = (row: ProviderTransferRow): ProviderOrder => ({
  ...{ id: row.id, kind: row.kind, userId: row.user_id, amount: row.amount, currency: row.currency },
  ...{ description: row.description, payeeName: row.payee_name, payeeAccount: row.payee_account },
})

/** Finds a transfer of a kind; undefined if there is none, or the caller may not see it: customers see their
 * own. */
export async function findProviderTransfer(
  tx: Transaction,
  { id, kind }: Pick<ProviderTransferRow, 'id' | 'kind'>,
  caller: Pick<Caller, 'userId' | 'role'>,
): Promise<ProviderTransferRow | undefined> {
  const [row] = await tx.query<ProviderTransferRow>({
    name: 'provider-transfer-find',
    text: `select ${providerTransferColumns} from provider_transfers
      where id = $1 and kind = $2::provider_transfer_kind and ($3::uuid is null or user_id = $3)`,
    values: [id, kind, caller.role === 'operator' ? null : caller.userId],
  })
  return row
}

/** Reads a transfer anew. */
export async function readProviderTransfer(
  tx: Transaction,
  id: string,
  lock: '' | 'for update' = '',
): Promise<ProviderTransferRow | undefined> {
  const [row] = await tx.query<ProviderTransferRow>({
    name: `provider-transfer-read ${lock}`,
    text: `select ${providerTransferColumns} from provider_transfers where id = $1 ${lock}`,
    values: [id],
  })
  return row
}

import type { Transaction } from '../../host/database/database.ts'
import type { Caller } from '../../host/route-request.ts'
import { orNull, uuidSchema } from '../../host/schema.ts'
import { formatAmount } from '../../host/values/money.ts'
import { UNSEEN } from '../../host/values/unseen.ts'
import { KEY_DAYS_MAX } from '../calls/transfer-for.ts'

/** Pattern of an address, looser than identity's: it is only compared with those that identity knows. */
export const EMAIL = `^[^@\\s${UNSEEN}]{1,64}@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$`

/** A payment is under way in a status that ends with -ing: the ledger is being asked. */
export const paymentStatuses = [
  ...(['placing', 'created', 'executing', 'executed', 'cancelling', 'cancelled'] as const),
  ...(['expiring', 'expired', 'failing', 'failed'] as const),
] as const

export type PaymentStatus = (typeof paymentStatuses)[number]
export type UnderWay = 'placing' | 'executing' | 'cancelling' | 'expiring' | 'failing'

export const isUnderWay = (status: PaymentStatus): status is UnderWay => status.endsWith('ing')

export const paymentSchema = {
  title: 'Payment',
  type: 'object',
  additionalProperties: false,
  required: [
    ...(['id', 'user_id', 'account_id', 'amount', 'currency', 'description'] as const),
    ...(['payee_account_id', 'payee_email', 'return_url', 'status', 'failure'] as const),
    ...(['hold_id', 'transaction_id', 'created_at', 'expires_at', 'ended_at'] as const),
  ],
  properties: {
    id: uuidSchema,
    user_id: uuidSchema,
    account_id: uuidSchema,
    amount: { type: 'string' },
    currency: { type: 'string' },
    description: orNull({ type: 'string' }),
    payee_account_id: orNull(uuidSchema),
    payee_email: orNull({ type: 'string' }),
    return_url: orNull({ type: 'string' }),
    status: { enum: paymentStatuses },
    // Why it failed.
    failure: orNull({ type: 'string' }),
    hold_id: orNull(uuidSchema),
    transaction_id: orNull(uuidSchema),
    created_at: { type: 'string', format: 'date-time' },
    expires_at: { type: 'string', format: 'date-time' },
    ended_at: orNull({ type: 'string', format: 'date-time' }),
  },
} as const

/** A payment as stored in the database. The amount is in minor units. */
export interface PaymentRow {
  id: string
  user_id: string
  account_id: string
  amount: bigint
  currency: string
  description: string | null
  payee_account_id: string | null
  payee_email: string | null
  return_url: string | null
  status: PaymentStatus
  failure: string | null
  hold_id: string | null
  to_account_id: string | null
  to_user_id: string | null
  transaction_id: string | null
  created_at: Date
  expires_at: Date
  ended_at: Date | null
  /** It was created so long ago that the ledger may have forgotten the keys of its questions. */
  is_too_old: boolean
}

export const paymentColumns = `id, user_id, account_id, amount, currency, description, payee_account_id, payee_email,
  return_url, status, failure, hold_id, to_account_id, to_user_id, transaction_id, created_at, expires_at, ended_at,
  created_at < now() - interval '${KEY_DAYS_MAX} days' as is_too_old`

/** Returns a payment as the API shows it. The payee's account stays hidden if the payer knows an address
 * only. */
export const toPayment = (row: PaymentRow) => ({
  id: row.id,
  user_id: row.user_id,
  account_id: row.account_id,
  amount: formatAmount(row.amount, row.currency),
  currency: row.currency,
  description: row.description,
  payee_account_id: row.payee_account_id,
  payee_email: row.payee_email,
  return_url: row.return_url,
  status: row.status,
  failure: row.failure,
  hold_id: row.hold_id,
  transaction_id: row.transaction_id,
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at.toISOString(),
  ended_at: row.ended_at?.toISOString() ?? null,
})

/** Finds a payment; undefined if there is none, or the caller may not see it: customers see their own. */
export async function findPayment(
  tx: Transaction,
  id: string,
  caller: Pick<Caller, 'userId' | 'role'>,
): Promise<PaymentRow | undefined> {
  const [row] = await tx.query<PaymentRow>({
    name: 'payment-find',
    text: `select ${paymentColumns} from payments where id = $1 and ($2::uuid is null or user_id = $2)`,
    values: [id, caller.role === 'operator' ? null : caller.userId],
  })
  return row
}

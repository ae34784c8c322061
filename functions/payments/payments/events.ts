import { paymentCancelled } from '../../../eventing/contracts/payment.cancelled.ts'
import { paymentCreated } from '../../../eventing/contracts/payment.created.ts'
import { paymentExecuted } from '../../../eventing/contracts/payment.executed.ts'
import { paymentExpired } from '../../../eventing/contracts/payment.expired.ts'
import { paymentFailed } from '../../../eventing/contracts/payment.failed.ts'
import { paymentReceived } from '../../../eventing/contracts/payment.received.ts'
import { formatAmount } from '../../host/values/money.ts'
import type { Emitting } from '../../host/tools.ts'
import type { PaymentRow } from './payment.ts'

/** Emits the event of what a payment has just become. There is none on the way, and none of a payment whose
 * money was never held: whoever asked for it was told, and nobody else heard of it. */
export function emitStep(tx: Emitting, row: PaymentRow): void {
  const about = { subject: row.id, partitionkey: row.user_id }
  const data = {
    payment_id: row.id,
    user_id: row.user_id,
    account_id: row.account_id,
    amount: formatAmount(row.amount, row.currency),
    currency: row.currency,
    timestamp: (row.ended_at ?? row.created_at).toISOString(),
  }
  if (row.status === 'created') {
    const { description, expires_at: expiresAt } = row
    tx.emit(paymentCreated, {
      ...about,
      data: { ...data, description, expires_at: expiresAt.toISOString() },
    })
  } else if (row.status === 'executed') {
    const paid = { ...data, transaction_id: row.transaction_id! }
    tx.emit(paymentExecuted, { ...about, data: { ...paid, to_account_id: row.to_account_id! } })
    if (row.to_user_id !== null)
      tx.emit(paymentReceived, {
        ...{ subject: row.id, partitionkey: row.to_user_id },
        data: { ...paid, user_id: row.to_user_id, account_id: row.to_account_id! },
      })
  } else if (row.status === 'cancelled') tx.emit(paymentCancelled, { ...about, data })
  else if (row.status === 'expired') tx.emit(paymentExpired, { ...about, data })
  else if (row.status === 'failed' && row.hold_id !== null)
    tx.emit(paymentFailed, { ...about, data: { ...data, failure: row.failure! } })
}

import { clearingDisputed } from '../../../eventing/contracts/clearing.disputed.ts'
import { providerDue } from '../../../eventing/contracts/provider.due.ts'
import { topupCompleted } from '../../../eventing/contracts/topup.completed.ts'
import { topupFailed } from '../../../eventing/contracts/topup.failed.ts'
import { withdrawalCompleted } from '../../../eventing/contracts/withdrawal.completed.ts'
import { withdrawalFailed } from '../../../eventing/contracts/withdrawal.failed.ts'
import type { Emitting } from '../../host/tools.ts'
import { formatAmount } from '../../host/values/money.ts'
import type { ProviderTransferRow } from './provider-transfer.ts'

/** Emits the event of how a top-up or withdrawal has ended. There is none on the way, and none of a
 * withdrawal whose money was never held: whoever asked for it was told. */
export function emitEnd(tx: Emitting, row: ProviderTransferRow): void {
  if (row.ended_at === null) return
  const about = { subject: row.id, partitionkey: row.user_id }
  const data = { ...dataOf(row), timestamp: row.ended_at.toISOString() }
  if (row.status === 'completed') {
    const contract = row.kind === 'top-up' ? topupCompleted : withdrawalCompleted
    tx.emit(contract, { ...about, data: { ...data, transaction_id: row.transaction_id! } })
  } else if (row.kind === 'top-up') {
    tx.emit(topupFailed, { ...about, data: { ...data, failure: row.failure! } })
  } else if (row.hold_id !== null) {
    tx.emit(withdrawalFailed, { ...about, data: { ...data, failure: row.failure! } })
  }
}

/** Has somebody do what is due of a transfer. */
export const emitDue = (
  tx: Emitting,
  { id, user_id: userId }: Pick<ProviderTransferRow, 'id' | 'user_id'>,
): void => tx.emit(providerDue, { subject: id, partitionkey: userId, data: { transfer_id: id } })

/** Tells operators of what the bank can't settle by itself. */
export const emitDispute = (tx: Emitting, row: ProviderTransferRow, reason: string): void =>
  tx.emit(clearingDisputed, {
    ...{ subject: row.id, partitionkey: row.user_id },
    data: {
      ...{ ...dataOf(row), kind: row.kind, provider: row.provider, reason },
      timestamp: new Date().toISOString(),
    },
  })

const dataOf = (row: ProviderTransferRow) => ({
  transfer_id: row.id,
  user_id: row.user_id,
  account_id: row.account_id,
  amount: formatAmount(row.amount, row.currency),
  currency: row.currency,
})

import type { Transaction } from '../../host/database/database.ts'

/** Skips the runs of an order for which the ledger was not called, or has refused the last call. A run that
 * is being called for goes on: its money may have moved. */
export async function skipRuns(tx: Transaction, orderId: string): Promise<void> {
  await tx.query({
    name: 'order-runs-skip',
    text: `update payment_order_runs set status = 'skipped', ended_at = now()
      where order_id = $1 and status = 'pending' and called_at is null`,
    values: [orderId],
  })
}

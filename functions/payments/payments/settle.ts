import type { Tools } from '../../host/tools.ts'
import { OUTCOME_UNKNOWN } from '../calls/transfer-for.ts'
import { ABOUT_PAYER } from '../calls/unreachable-payees.ts'
import { askLedger, type PaymentLedger } from './ask-ledger.ts'
import { emitStep } from './events.ts'
import { findPayment, isUnderWay, paymentColumns, type PaymentRow, type UnderWay } from './payment.ts'

/** What a step leads to: the next status, and what is known then. */
type StepResult = Pick<PaymentRow, 'status'> &
  Partial<Pick<PaymentRow, 'hold_id' | 'transaction_id' | 'failure'>>

type SettlingTools = Pick<Tools, 'db' | 'transact' | 'callFor'>

/** Asks the ledger for what a payment under way is waiting for, until it is not under way any more. Returns
 * it as it is then. If another process does the same, both ask the same with the same keys, and one of them
 * writes the result.
 *
 * Rejects with UnavailableError if the ledger does not answer as agreed. Then the payment stays as it is,
 * for the next request or sweep. */
export async function settle(
  payment: PaymentRow,
  tools: SettlingTools,
  { traceparent, client }: { traceparent: string; client?: string | undefined },
): Promise<PaymentRow> {
  const ledger = askLedger(tools.callFor, traceparent, client)
  let settled = payment
  while (isUnderWay(settled.status))
    settled = await write(settled, await steps[settled.status](settled, ledger), tools, traceparent)
  return settled
}

const steps: Record<UnderWay, (payment: PaymentRow, ledger: PaymentLedger) => Promise<StepResult>> = {
  async placing(payment, ledger) {
    // To ask again could hold the money twice. If it is held, the ledger ends the hold in time.
    if (payment.is_too_old) return { status: 'failed', failure: OUTCOME_UNKNOWN }
    const placed = await ledger.place(payment)
    return 'refusal' in placed
      ? { status: 'failed', failure: placed.refusal }
      : { status: 'created', hold_id: placed.holdId }
  },
  async executing(payment, ledger) {
    const captured = await ledger.capture(payment)
    if (!('refusal' in captured)) return { status: 'executed', transaction_id: captured.transactionId }
    const { refusal } = captured
    if (refusal === 'hold-expired') return { status: 'expired' }
    if (refusal === 'hold-released' || refusal === 'hold-captured')
      return { status: 'failed', failure: refusal }
    return { status: 'failing', failure: shownFailure(payment, refusal) }
  },
  cancelling: async (payment, ledger) => released('cancelled', await ledger.release(payment)),
  expiring: async (payment, ledger) => released('expired', await ledger.release(payment)),
  failing: async (payment, ledger) => released('failed', await ledger.release(payment)),
}

const released = (
  status: 'cancelled' | 'expired' | 'failed',
  end: Awaited<ReturnType<PaymentLedger['release']>>,
): StepResult => (end === 'released' ? { status } : { status: 'failed', failure: end.refusal })

/** Who pays to an address must not learn more about its owner than that they can't be paid. */
const shownFailure = ({ payee_email: email }: PaymentRow, refusal: string): string =>
  email === null || ABOUT_PAYER.test(refusal) ? refusal : 'payee-unreachable'

/** Writes what a step led to, with its event. If another process has written it first, returns what that one
 * wrote. */
async function write(
  payment: PaymentRow,
  { status, hold_id: holdId, transaction_id: transactionId, failure }: StepResult,
  { db, transact }: SettlingTools,
  traceparent: string,
): Promise<PaymentRow> {
  const { written } = await transact(traceparent, async (tx) => {
    const [row] = await tx.query<PaymentRow>({
      name: 'payment-step',
      text: `update payments set status = $3::payment_status, hold_id = coalesce($4, hold_id), transaction_id = $5,
          failure = coalesce($6, failure), taken_at = now(),
          ended_at = case when $3::payment_status in ('executed', 'cancelled', 'expired', 'failed')
            then date_trunc('milliseconds', clock_timestamp()) end
        where id = $1 and status = $2::payment_status returning ${paymentColumns}`,
      values: [payment.id, payment.status, status, holdId, transactionId, failure],
    })
    if (row) emitStep(tx, row)
    return { written: row }
  })
  if (written) return written
  const found = await findPayment(db, payment.id, { userId: payment.user_id, role: 'customer' })
  if (!found) throw new Error(`payment ${payment.id} was removed`)
  return found
}

import type { CallResponse } from '../../host/http/call.ts'
import type { CallFor } from '../../host/http/call-for.ts'
import { formatAmount } from '../../host/values/money.ts'
import { fieldsOf, notAsAgreed, readRefusal, type LedgerRefusal } from '../payments/ledger-answers.ts'
import type { ProviderTransferRow } from './provider-transfer.ts'

export type Booked = { transactionId: string } | LedgerRefusal

/** Has the ledger book what a provider has collected or paid out. Each attempt has one idempotency key for
 * ever, so it can be asked any number of times. Rejects with UnavailableError if there is no answer, or one
 * that does not fit the question. */
export async function book(
  transfer: ProviderTransferRow,
  callFor: CallFor,
  traceparent: string,
): Promise<Booked> {
  const { id, user_id: userId, kind, account_id, hold_id: holdId, attempt, currency, description } = transfer
  const amount = formatAmount(transfer.amount, currency)
  const asked =
    kind === 'top-up'
      ? {
          path: '/clearing/deposits',
          body: { account_id, amount, currency, ...(description !== null && { description }) },
        }
      : { path: `/clearing/holds/${holdId}/capture`, body: {} }
  const answer = await callFor(userId, traceparent)('clearing', {
    ...{ method: 'POST', ...asked, idempotencyKey: `clearing-${id}-${attempt}` },
  })
  return readRefusal(answer) ?? { transactionId: readBooking(answer, transfer, amount) }
}

function readBooking(answer: CallResponse, transfer: ProviderTransferRow, amount: string): string {
  const { status, body } = answer
  const booked = fieldsOf(body)
  const isOurs =
    status === 201 &&
    typeof booked.id === 'string' &&
    booked.type === (transfer.kind === 'top-up' ? 'deposit' : 'transfer') &&
    booked.account_id === transfer.account_id &&
    booked.hold_id === transfer.hold_id &&
    booked.amount === amount &&
    booked.currency === transfer.currency
  if (!isOurs) throw notAsAgreed(answer)
  return booked.id as string
}

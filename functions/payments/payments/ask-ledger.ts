import { formatAmount } from '../../host/values/money.ts'
import type { CallFor } from '../../host/http/call-for.ts'
import {
  notAsAgreed,
  readHold,
  readRefusal,
  readTransaction,
  type HeldMoney,
  type LedgerRefusal,
} from './ledger-answers.ts'

/** The questions to the ledger. Each has one idempotency key for ever, so it can be asked any number of
 * times. They reject with UnavailableError if there is no answer, or one that does not fit the question. */
export interface PaymentLedger {
  /** Has the money held. */
  place(payment: HeldMoney): Promise<{ holdId: string } | LedgerRefusal>
  /** Has all of the hold paid to `to_account_id`. `taken` if it was paid to somebody else. */
  capture(payment: HeldMoney): Promise<{ transactionId: string } | LedgerRefusal>
  /** Has the money released. It is released as well if the hold has expired. */
  release(payment: HeldMoney): Promise<'released' | LedgerRefusal>
}

const DAY_SECONDS = 86_400

export function askLedger(callFor: CallFor, traceparent: string, client?: string): PaymentLedger {
  const post = (
    { id, user_id: userId }: HeldMoney,
    operation: string,
    path: string,
    body: object,
  ): ReturnType<ReturnType<CallFor>> =>
    callFor(
      userId,
      traceparent,
      client,
    )(operation, {
      ...{ method: 'POST', path, body, idempotencyKey: `${operation}-${id}` },
    })
  const get = ({ user_id: userId }: HeldMoney, operation: string, path: string) =>
    callFor(userId, traceparent, client)(operation, { path })

  /** What became of a hold that was ended before. */
  const findEnd = async (payment: HeldMoney): Promise<{ transactionId: string } | LedgerRefusal> => {
    const statuses = ['captured', 'released', 'expired'] as const
    const answer = await get(payment, 'holds', `/holds/${payment.hold_id}`)
    const { status, transactionId } = readHold(answer, payment, statuses)
    if (status !== 'captured') return { refusal: `hold-${status}` }
    if (transactionId === null) throw notAsAgreed(answer)
    const paid = readTransaction(
      await get(payment, 'transactions', `/transactions/${transactionId}`),
      payment,
    )
    return paid === undefined ? { refusal: 'hold-captured' } : { transactionId: paid }
  }

  return {
    async place(payment) {
      const answer = await post(payment, 'place-hold', '/holds', {
        account_id: payment.account_id,
        amount: formatAmount(payment.amount, payment.currency),
        currency: payment.currency,
        ...(payment.description !== null && { description: payment.description }),
        // The ledger ends the hold by itself if payments never does. The payment expires first.
        expires_in: lifeSecondsOf(payment) + DAY_SECONDS,
      })
      return readRefusal(answer) ?? { holdId: readHold(answer, payment, ['open']).id }
    },

    async capture(payment) {
      const answer = await post(payment, 'capture-hold', `/holds/${payment.hold_id}/capture`, {
        to_account_id: payment.to_account_id,
      })
      const refused = readRefusal(answer)
      if (refused && ENDED.has(refused.refusal)) return findEnd(payment)
      if (refused) return refused
      const transactionId = readTransaction(answer, payment)
      if (transactionId === undefined) throw notAsAgreed(answer)
      return { transactionId }
    },

    async release(payment) {
      const answer = await post(payment, 'release-hold', `/holds/${payment.hold_id}/release`, {})
      const refused = readRefusal(answer)
      if (!refused) {
        readHold(answer, payment, ['released'])
        return 'released'
      }
      if (!ENDED.has(refused.refusal)) throw notAsAgreed(answer)
      const end = await findEnd(payment)
      return 'refusal' in end && end.refusal !== 'hold-captured' ? 'released' : { refusal: 'hold-captured' }
    },
  }
}

const ENDED = new Set(['hold-captured', 'hold-released', 'hold-expired'])

const lifeSecondsOf = ({ created_at: from, expires_at: to }: HeldMoney): number =>
  Math.round((to.getTime() - from.getTime()) / 1000)

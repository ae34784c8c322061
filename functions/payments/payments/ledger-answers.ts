import { UnavailableError } from '../../../eventing/unavailable.ts'
import { formatAmount } from '../../host/values/money.ts'
import type { CallResponse } from '../../host/http/call.ts'
import type { PaymentRow } from './payment.ts'

/** What the ledger says, as far as it can be believed. An answer that does not fit the question counts as no
 * answer: the payment stays where it is, and the ledger is asked again with the same key. */

/** A refusal of the ledger, by its name. */
export interface LedgerRefusal {
  refusal: string
}

export type HoldStatus = 'open' | 'captured' | 'released' | 'expired'
export interface SeenHold {
  id: string
  status: HoldStatus
  transactionId: string | null
}

/** Money that the ledger holds for a payment or a withdrawal, as far as its answers are compared with it. */
export type HeldMoney = Pick<
  PaymentRow,
  | ('id' | 'user_id' | 'account_id' | 'amount' | 'currency' | 'description')
  | ('hold_id' | 'to_account_id' | 'created_at' | 'expires_at')
>

const REFUSING = new Set([403, 404, 409, 422])
/** Refusals that decide nothing: another process is asking, the question differs from before, or the ledger
 * does not know a hold that it placed. */
const NOT_REFUSALS = new Set([
  ...['idempotency-key-in-use', 'idempotency-key-reused', 'not-found', 'forbidden'],
  ...['hold-not-found', 'hold-not-yours'],
])

/** Reads a refusal; undefined if the answer is none. */
export function readRefusal({ status, body }: CallResponse): LedgerRefusal | undefined {
  if (!REFUSING.has(status)) return undefined
  const { type } = fieldsOf(body)
  const name = typeof type === 'string' ? type.split('/').pop()! : ''
  return name === '' || NOT_REFUSALS.has(name) ? undefined : { refusal: name }
}

/** Reads the hold of a payment. Throws UnavailableError if it is not that of the payment. */
export function readHold(
  answer: CallResponse,
  payment: HeldMoney,
  statuses: readonly HoldStatus[],
): SeenHold {
  const hold = fieldsOf(answer.body)
  const isOurs =
    (answer.status === 200 || answer.status === 201) &&
    typeof hold.id === 'string' &&
    (payment.hold_id === null || hold.id === payment.hold_id) &&
    hold.account_id === payment.account_id &&
    hold.amount === formatAmount(payment.amount, payment.currency) &&
    hold.currency === payment.currency &&
    hold.via === 'payments' &&
    statuses.includes(hold.status as HoldStatus)
  if (!isOurs) throw notAsAgreed(answer)
  const { transaction_id: transactionId } = hold
  return {
    id: hold.id as string,
    status: hold.status as HoldStatus,
    transactionId: typeof transactionId === 'string' ? transactionId : null,
  }
}

/** Reads the transaction that paid a payment; undefined if it paid somebody else, or another amount. Throws
 * UnavailableError if the answer is not of the payment's hold. */
export function readTransaction(answer: CallResponse, payment: HeldMoney): string | undefined {
  const transaction = fieldsOf(answer.body)
  const isOurs =
    (answer.status === 200 || answer.status === 201) &&
    typeof transaction.id === 'string' &&
    transaction.hold_id === payment.hold_id &&
    transaction.account_id === payment.account_id &&
    transaction.currency === payment.currency &&
    (transaction.status === 'completed' || transaction.status === 'reversed')
  if (!isOurs) throw notAsAgreed(answer)
  const isPaid =
    transaction.to_account_id === payment.to_account_id &&
    transaction.amount === formatAmount(payment.amount, payment.currency)
  return isPaid ? (transaction.id as string) : undefined
}

export const fieldsOf = (body: unknown): Record<string, unknown> =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}

export const notAsAgreed = ({ status }: CallResponse): UnavailableError =>
  new UnavailableError('another part of the bank did not answer as agreed', {
    cause: new Error(`an answer with status ${status} does not fit the question`),
  })

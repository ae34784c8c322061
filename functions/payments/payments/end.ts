import { keyReused, replayed } from '../../host/database/idempotency.ts'
import { problem } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { RouteRequest } from '../../host/route-request.ts'
import type { Emitting, Tools } from '../../host/tools.ts'
import { hasTriedTooOften } from '../calls/unreachable-payees.ts'
import { claimKey } from './keys.ts'
import { findPayment, paymentColumns, toPayment, type PaymentRow } from './payment.ts'
import type { Payee } from './payee.ts'
import { endedOtherwise, paymentNotFound, tooManyUnreachable } from './refusals.ts'
import { settle } from './settle.ts'

/** What the payer wants of a payment, and what is decided about it first. */
export type WantedEnd =
  | { status: 'executed'; findPayee: (payment: PaymentRow) => Promise<Payee | undefined> }
  | { status: 'cancelled' }

type EndRequest = Pick<
  RouteRequest<{ payment_id: string }, unknown, unknown>,
  'body' | 'caller' | 'idempotencyKey' | 'traceparent' | 'client'
>

/** Ends a payment as its payer wants. The decision is stored before the ledger is asked; of two that are
 * asked for at once, one is stored, and the other is answered with what came of the first: 200 if it is the
 * same, 409 otherwise. */
export async function endPayment(
  { body, caller, idempotencyKey, traceparent, client }: EndRequest,
  operation: string,
  tools: Tools,
  wanted: WantedEnd,
): Promise<Reply> {
  const own = { userId: caller.userId, role: 'customer' } as const
  const found = await findPayment(tools.db, body.payment_id, own)
  if (!found) return paymentNotFound()
  // The process that created it may have died before the ledger answered.
  const payment = found.status === 'placing' ? await settle(found, tools, { traceparent, client }) : found
  const payee =
    wanted.status === 'executed' && payment.status === 'created' ? await wanted.findPayee(payment) : undefined
  const decided = await tools.transact(traceparent, async (tx) => {
    const key = await claimKey(tx, operation, idempotencyKey, payment.id)
    if (key === 'reused') return { refusal: keyReused(), about: 'nothing-changed' as const }
    const isLimited = wanted.status === 'executed' && payment.payee_email !== null
    if (isLimited && payment.status === 'created' && (await hasTriedTooOften(tx, payment.user_id)))
      return { refusal: triedTooOften(), about: 'nothing-changed' as const }
    const row = await decide(tx, payment.id, wanted.status, payee)
    return row
      ? { row, about: { subject: row.id, ownerId: row.user_id } }
      : { about: 'nothing-changed' as const }
  })
  if ('refusal' in decided) return decided.refusal
  const latest = 'row' in decided ? decided.row : await findPayment(tools.db, payment.id, own)
  const ended = await settle(latest!, tools, { traceparent, client })
  if (ended.status !== wanted.status) return endedOtherwise(ended)
  const reply = { status: 200, body: toPayment(ended) }
  return 'row' in decided ? reply : replayed(reply)
}

/** Stores what is going to happen to a payment. A payment that is due expires, whatever was asked. Returns
 * undefined if something else was decided before. */
async function decide(
  tx: Emitting,
  id: string,
  wanted: WantedEnd['status'],
  payee: Payee | undefined,
): Promise<PaymentRow | undefined> {
  const status = wanted === 'cancelled' ? 'cancelling' : payee ? 'executing' : 'failing'
  const [row] = await tx.query<PaymentRow>({
    name: 'payment-decide',
    text: `update payments set taken_at = now(),
        status = case when expires_at <= now() then 'expiring' else $2::payment_status end,
        failure = case when expires_at > now() and $2::payment_status = 'failing' then 'payee-unreachable' end,
        to_account_id = case when expires_at > now() then $3::uuid end,
        to_user_id = case when expires_at > now() then $4::uuid end
      where id = $1 and status = 'created' returning ${paymentColumns}`,
    values: [id, status, payee?.accountId, payee?.userId],
  })
  return row
}

const triedTooOften = (): Reply =>
  problem(tooManyUnreachable, 'Pay to accounts, or to addresses tomorrow.', {
    headers: { 'retry-after': '86400' },
  })

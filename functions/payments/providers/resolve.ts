import { UnavailableError } from '../../../eventing/unavailable.ts'
import { once } from '../../host/database/idempotency.ts'
import { problem } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { RouteRequest } from '../../host/route-request.ts'
import type { Emitting, Tools } from '../../host/tools.ts'
import { formatAmount } from '../../host/values/money.ts'
import { fieldsOf } from '../payments/ledger-answers.ts'
import { SETTLED_OUTSIDE } from '../../../eventing/contracts/provider-transfer-end.ts'
import { emitDue, emitEnd } from './events.ts'
import type { ProviderTransferKind } from './provider.ts'
import {
  actionsFor,
  isBookable,
  providerTransferColumns,
  readProviderTransfer,
  toProviderTransfer,
  type ProviderTransferRow,
  type ResolveAction,
} from './provider-transfer.ts'
import { providerProblems, transferNotFound } from './refusals.ts'

interface ResolveRequest extends Pick<
  RouteRequest<unknown, unknown, { id: string }>,
  'params' | 'caller' | 'client' | 'idempotencyKey' | 'traceparent'
> {
  body: { action: ResolveAction; transaction_id?: string }
}

/** Ends a dispute by the action of an operator who has looked into it. No action can book money twice, with
 * one exception: "book", if the bank can no longer find out whether the ledger has booked the transfer. */
export async function resolveDispute(
  kind: ProviderTransferKind,
  request: ResolveRequest,
  tools: Pick<Tools, 'call' | 'db' | 'transact'>,
): Promise<Reply> {
  const { id } = request.params
  const { action, transaction_id: transactionId } = request.body
  const found = await readProviderTransfer(tools.db, id)
  if (found?.kind !== kind) return transferNotFound()
  if ((action === 'booked') !== (transactionId !== undefined))
    return problem(
      providerProblems.notResolvable,
      'The action booked needs a transaction_id, and no other action takes one.',
    )
  if (transactionId !== undefined && !(await hasBooked(found, transactionId, request, tools)))
    return problem(providerProblems.notResolvable, 'The ledger has no such transaction for this transfer.')
  return tools.transact(request.traceparent, (tx) =>
    once(tx, 'resolve-dispute', request.idempotencyKey, async (): Promise<Reply> => {
      const transfer = (await readProviderTransfer(tx, id, 'for update'))!
      if (!actionsFor(transfer).includes(action))
        return problem(providerProblems.notResolvable, cannotResolve(transfer))
      const resolved = await resolutions[action](tx, transfer, transactionId)
      if (!resolved)
        return problem(providerProblems.notResolvable, 'That transaction belongs to another transfer.')
      return {
        status: 200,
        body: toProviderTransfer(resolved, request.caller),
        about: { subject: id, ownerId: resolved.user_id },
      }
    }),
  )
}

const cannotResolve = (transfer: ProviderTransferRow): string =>
  transfer.dispute === null
    ? 'There is no dispute.'
    : `It is ${transfer.status}, and disputed because of ${transfer.dispute}. That ends with ${actionsFor(transfer).join(' or ')}.`

type Resolution = (
  tx: Emitting,
  transfer: ProviderTransferRow,
  transactionId: string | undefined,
) => Promise<ProviderTransferRow | undefined>

const resolutions: Record<ResolveAction, Resolution> = {
  async dismiss(tx, { id, status }) {
    const [row] = await tx.query<ProviderTransferRow>({
      name: 'provider-transfer-dismiss',
      text: `update provider_transfers set dispute = null,
          status = case when $2 then 'failed' else status end, failure = case when $2 then $3 else failure end,
          ended_at = case when $2 then date_trunc('milliseconds', clock_timestamp()) else ended_at end
        where id = $1 returning ${providerTransferColumns}`,
      values: [id, isBookable(status), SETTLED_OUTSIDE],
    })
    if (isBookable(status)) emitEnd(tx, row!)
    return row
  },
  /** Keeps the key while the ledger still knows it: the ledger may have booked, and its answer been lost. */
  async book(tx, { id, is_too_old: isForgotten }) {
    const [row] = await tx.query<ProviderTransferRow>({
      name: 'provider-transfer-book',
      text: `update provider_transfers set dispute = null, taken_at = now(), next_at = now(),
          attempt = attempt + case when $2 then 1 else 0 end, asked_at = case when $2 then now() else asked_at end
        where id = $1 returning ${providerTransferColumns}`,
      values: [id, isForgotten],
    })
    emitDue(tx, row!)
    return row
  },
  async booked(tx, { id }, transactionId) {
    const [row] = await tx.query<ProviderTransferRow>({
      name: 'provider-transfer-booked',
      text: `update provider_transfers set dispute = null, status = 'completed', transaction_id = $2, taken_at = now(),
          ended_at = date_trunc('milliseconds', clock_timestamp())
        where id = $1 and not exists (select from provider_transfers where transaction_id = $2)
        returning ${providerTransferColumns}`,
      values: [id, transactionId],
    })
    if (row) emitEnd(tx, row)
    return row
  },
}

/** Asks the ledger, with the operator's own token, whether a transaction is the booking of a transfer. */
async function hasBooked(
  transfer: ProviderTransferRow,
  transactionId: string,
  { caller, client, traceparent }: ResolveRequest,
  { call }: Pick<Tools, 'call'>,
): Promise<boolean> {
  const { status, body } = await call('transactions', {
    ...{ path: `/transactions/${transactionId}`, token: caller.token, client, traceparent },
  })
  if (status === 404) return false
  if (status !== 200) throw new UnavailableError(`the ledger answered ${status} for a transaction`)
  const booked = fieldsOf(body)
  return (
    booked.type === (transfer.kind === 'top-up' ? 'deposit' : 'transfer') &&
    booked.status === 'completed' &&
    booked.account_id === transfer.account_id &&
    (booked.hold_id ?? null) === transfer.hold_id &&
    booked.amount === formatAmount(transfer.amount, transfer.currency) &&
    booked.currency === transfer.currency &&
    Date.parse(String(booked.timestamp)) >= transfer.created_at.getTime()
  )
}

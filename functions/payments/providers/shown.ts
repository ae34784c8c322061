import { UnavailableError } from '../../../eventing/unavailable.ts'
import { replayed } from '../../host/database/idempotency.ts'
import { decodeCursor, page, pageQuery } from '../../host/database/paging.ts'
import { problem } from '../../host/problems.ts'
import type { Reply } from '../../host/reply.ts'
import type { Caller, RouteRequest } from '../../host/route-request.ts'
import type { Tools } from '../../host/tools.ts'
import { hear } from './hear.ts'
import type { ProviderTransferKind } from './provider.ts'
import {
  findProviderTransfer,
  isStep,
  providerTransferColumns,
  providerTransferStatuses,
  toOrder,
  toProviderTransfer,
  type ProviderTransferRow,
  type ProviderTransferStatus,
} from './provider-transfer.ts'
import { providerOf } from './providers.ts'
import { providerProblems, transferNotFound } from './refusals.ts'
import { requireAbout, settleTransfer } from './settle.ts'

interface ListQuery {
  limit: number
  cursor?: string
  status?: ProviderTransferStatus
  disputed?: boolean
}

/** What lists of top-ups and withdrawals take. Only operators see disputes: to customers nothing is
 * disputed. */
export const listQuery = {
  ...pageQuery,
  status: { enum: providerTransferStatuses },
  disputed: { type: 'boolean', description: 'Whether an operator has to look; for customers always false.' },
} as const

/** Lists top-ups or withdrawals, newest first; customers see their own. */
export async function listTransfers(
  kind: ProviderTransferKind,
  { query, caller }: { query: ListQuery; caller: Caller },
  { db }: Pick<Tools, 'db'>,
): Promise<Reply> {
  // The statement has no name, so Postgres plans it for the filters given.
  const rows = await db.query<ProviderTransferRow>({
    text: `select ${providerTransferColumns} from provider_transfers
      where kind = $1::provider_transfer_kind and ($2::uuid is null or user_id = $2)
        and ($3::provider_transfer_status is null or status = $3) and ($4::uuid is null or id < $4)
        and ($5::boolean is null or (dispute is not null and $2::uuid is null) = $5)
      order by id desc limit $6`,
    values: [
      ...[kind, caller.role === 'operator' ? null : caller.userId],
      ...[query.status, decodeCursor(query.cursor), query.disputed, query.limit + 1],
    ],
  })
  return { status: 200, body: page(rows, query.limit, (row) => toProviderTransfer(row, caller)) }
}

/** Shows one. */
export async function showTransfer(
  kind: ProviderTransferKind,
  { params: { id }, caller }: { params: { id: string }; caller: Caller },
  { db }: Pick<Tools, 'db'>,
): Promise<Reply> {
  const transfer = await findProviderTransfer(db, { id, kind }, caller)
  return transfer ? { status: 200, body: toProviderTransfer(transfer, caller) } : transferNotFound()
}

type CancelRequest = Pick<RouteRequest<unknown, unknown, { id: string }>, 'params' | 'caller' | 'traceparent'>

/** Asks the provider to cancel a transfer that is pending. Answers 200 with it, failed, once its money is
 * where it was; 409 if it is settled, or the provider can't cancel it. Throws an UnavailableError (503) if
 * nobody answers. */
export async function cancelTransfer(
  kind: ProviderTransferKind,
  { params: { id }, caller, traceparent }: CancelRequest,
  tools: Tools,
): Promise<Reply> {
  const own = { userId: caller.userId, role: 'customer' } as const
  const found = await findProviderTransfer(tools.db, { id, kind }, own)
  if (!found) return transferNotFound()
  // It may have been left on its way to the provider.
  const transfer = isStep(found.status) ? await settleTransfer(found, tools, traceparent) : found
  if (transfer.failure === 'cancelled' && transfer.status === 'failed')
    return replayed({ status: 200, body: toProviderTransfer(transfer, caller) })
  if (transfer.status !== 'pending') return notCancellable(transfer)
  const report = await providerOf(transfer.provider).cancel(toOrder(transfer), { tools, traceparent })
  if (!report) throw new UnavailableError('the payment provider does not know this transfer')
  requireAbout(transfer, report)
  const heard = await tools.transact(traceparent, async (tx) => {
    const said = await hear(tx, transfer.provider, report)
    return {
      said,
      about: said?.isNew ? { subject: id, ownerId: caller.userId } : ('nothing-changed' as const),
    }
  })
  const ended = await settleTransfer(heard.said!.transfer, tools, traceparent)
  if (ended.status !== 'failed') return notCancellable(ended)
  return { status: 200, body: toProviderTransfer(ended, caller) }
}

const notCancellable = ({ status }: ProviderTransferRow): Reply =>
  problem(providerProblems.notCancellable, `Its status is ${status}.`)

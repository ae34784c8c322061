import type { Emitting } from '../../host/tools.ts'
import { SETTLED_OUTSIDE } from '../../../eventing/contracts/provider-transfer-end.ts'
import { emitDispute, emitEnd } from './events.ts'
import {
  providerTransferColumns,
  readProviderTransfer,
  type ProviderTransferRow,
  type ProviderTransferStatus,
} from './provider-transfer.ts'
import type { ProviderReport } from './provider.ts'

export interface Heard {
  /** As it is now. */
  transfer: ProviderTransferRow
  /** True if there is a step to do now. */
  isNew: boolean
  /** Why the report was not believed; null if it was, or says nothing new. */
  dispute: string | null
}

/** Takes what a provider says of a transfer, whichever way it came: a web hook, the answer to a question. It
 * may come twice, late and in any order, so it only moves a transfer forward. A report that does not fit what
 * was asked, or what was said before, changes nothing; operators are told of it. Returns undefined if the
 * transfer is unknown. */
export async function hear(
  tx: Emitting,
  provider: string,
  report: ProviderReport,
): Promise<Heard | undefined> {
  const transfer = await readProviderTransfer(tx, report.reference, 'for update')
  if (!transfer || transfer.provider !== provider) return undefined
  const dispute = disputeOf(transfer, report)
  if (dispute !== null) return { transfer: await noteDispute(tx, transfer, dispute), isNew: false, dispute }
  const next = nextStatus(transfer, report)
  const [changed] = await tx.query<ProviderTransferRow>({
    name: 'provider-transfer-heard',
    // The longer a transfer is pending, the rarer the provider is asked for it.
    text: `update provider_transfers set status = $2::provider_transfer_status, provider_id = coalesce(provider_id, $3),
        next_url = coalesce($4, next_url), failure = $5, taken_at = now(),
        asked_at = case when status = $2::provider_transfer_status then asked_at else now() end,
        ended_at = case when $2::provider_transfer_status = 'failed' then date_trunc('milliseconds', clock_timestamp()) end,
        next_at = case when $2::provider_transfer_status = 'pending' then now() + interval '15 minutes' + (now() - created_at) / 8
          when status = $2::provider_transfer_status then next_at else now() + interval '1 minute' end
      where id = $1 and ended_at is null returning ${providerTransferColumns}`,
    values: [
      ...[transfer.id, next, report.providerId, report.nextUrl],
      next === 'failed' || next === 'releasing'
        ? (transfer.failure ?? report.reason ?? 'provider-failed')
        : null,
    ],
  })
  const isNew = changed !== undefined && changed.status !== transfer.status
  if (isNew) emitEnd(tx, changed)
  return { transfer: changed ?? transfer, isNew, dispute: null }
}

/** Returns what does not fit; null if all does. */
function disputeOf(transfer: ProviderTransferRow, report: ProviderReport): string | null {
  const { status, kind, provider_id: providerId } = transfer
  if (report.amount !== transfer.amount || report.currency !== transfer.currency) return 'other-amount'
  if (report.kind !== kind) return 'other-kind'
  if (providerId !== null && report.providerId !== providerId) return 'other-provider-id'
  // A withdrawal that the ledger refused has never been asked for.
  if (status === 'placing' || (kind === 'withdrawal' && transfer.hold_id === null)) return 'never-asked'
  // It was settled, too, and an operator has given the money back.
  const isOutside = status === 'failed' && transfer.failure === SETTLED_OUTSIDE
  if (report.state === 'settled' && (status === 'failed' || status === 'releasing') && !isOutside)
    return 'settled-after-failed'
  const isSettled = status === 'crediting' || status === 'capturing' || status === 'completed' || isOutside
  if (report.state === 'failed' && isSettled) return 'failed-after-settled'
  return null
}

function nextStatus(
  { status, kind }: ProviderTransferRow,
  { state }: ProviderReport,
): ProviderTransferStatus {
  if (status !== 'asking' && status !== 'pending') return status
  if (state === 'settled') return kind === 'top-up' ? 'crediting' : 'capturing'
  if (state === 'failed') return kind === 'top-up' ? 'failed' : 'releasing'
  return 'pending'
}

/** Keeps a dispute with its transfer. The same one is told once, however often it is found. */
export async function noteDispute(
  tx: Emitting,
  transfer: ProviderTransferRow,
  dispute: string,
): Promise<ProviderTransferRow> {
  const [noted] = await tx.query<ProviderTransferRow>({
    name: 'provider-transfer-dispute',
    text: `update provider_transfers set dispute = $2 where id = $1 and dispute is distinct from $2
      returning ${providerTransferColumns}`,
    values: [transfer.id, dispute],
  })
  if (noted) emitDispute(tx, noted, dispute)
  return noted ?? transfer
}

import { UnavailableError } from '../../../eventing/unavailable.ts'
import type { Emitting, Tools } from '../../host/tools.ts'
import { OUTCOME_UNKNOWN } from '../calls/transfer-for.ts'
import { askLedger } from '../payments/ask-ledger.ts'
import type { HeldMoney } from '../payments/ledger-answers.ts'
import { book } from './ask-clearing.ts'
import { emitEnd } from './events.ts'
import { hear, noteDispute } from './hear.ts'
import {
  isNeverBooked,
  isStep,
  providerTransferColumns,
  readProviderTransfer,
  toOrder,
  type ProviderStep,
  type ProviderTransferRow,
} from './provider-transfer.ts'
import type { ProviderReport } from './provider.ts'
import { providerOf } from './providers.ts'

export type TransferTools = Pick<Tools, 'db' | 'transact' | 'callFor' | 'send' | 'config' | 'log'>

/** What a step leads to: the next status and what is known then; or what the provider says. */
type StepOutcome =
  | (Pick<ProviderTransferRow, 'status'> &
      Partial<Pick<ProviderTransferRow, 'hold_id' | 'transaction_id' | 'failure'>>)
  | { report: ProviderReport }
  /** The ledger refuses to book what the provider has settled. */
  | { blocked: string }

/** Asks the ledger and the provider for what a transfer is waiting for, until it waits for the provider's
 * word or has ended. Returns it as it is then. If another process does the same, both ask the same with the
 * same keys, and one of them writes the result.
 *
 * Rejects with UnavailableError if there is no answer. Then the transfer stays as it is, for the next
 * sweep. */
export async function settleTransfer(
  transfer: ProviderTransferRow,
  tools: TransferTools,
  traceparent: string,
): Promise<ProviderTransferRow> {
  let settled = transfer
  while (isStep(settled.status)) {
    const { status } = settled
    const outcome = await steps[status](settled, tools, traceparent)
    if ('report' in outcome) requireAbout(settled, outcome.report)
    settled = await write(settled, outcome, tools, traceparent)
    // What can't be booked waits for an operator, or for better times.
    if (settled.status === status) break
  }
  return settled
}

/** Asks the provider what has become of a transfer that it has accepted, then does what follows. */
export async function askAgain(
  transfer: ProviderTransferRow,
  tools: TransferTools,
  traceparent: string,
): Promise<ProviderTransferRow> {
  const report = await providerOf(transfer.provider).get(toOrder(transfer), { tools, traceparent })
  if (report) requireAbout(transfer, report)
  const heard = report && (await tools.transact(traceparent, (tx) => hear(tx, transfer.provider, report)))
  if (heard) return settleTransfer(heard.transfer, tools, traceparent)
  const { noted } = await tools.transact(traceparent, async (tx) => ({
    noted: await noteDispute(tx, transfer, 'unknown-to-provider'),
  }))
  return noted
}

/** Throws an UnavailableError if a provider answers with another transfer than it was asked for. */
export function requireAbout({ id }: ProviderTransferRow, { reference }: ProviderReport): void {
  if (reference !== id) throw new UnavailableError('the payment provider told of another transfer')
}

type StepWork = (
  transfer: ProviderTransferRow,
  tools: TransferTools,
  traceparent: string,
) => Promise<StepOutcome>

const steps: Record<ProviderStep, StepWork> = {
  async placing(transfer, { callFor }, traceparent) {
    // To ask again could hold the money twice. If it is held, the ledger ends the hold in time.
    if (transfer.is_too_old) return { status: 'failed', failure: OUTCOME_UNKNOWN }
    const placed = await askLedger(callFor, traceparent).place(toHeld(transfer))
    return 'refusal' in placed
      ? { status: 'failed', failure: placed.refusal }
      : { status: 'asking', hold_id: placed.holdId }
  },
  async asking(transfer, tools, traceparent) {
    const provider = providerOf(transfer.provider)
    const order = toOrder(transfer)
    const asking = { tools, traceparent }
    const failing = transfer.kind === 'top-up' ? 'failed' : 'releasing'
    // It may have forgotten the key, and to ask again could move the money twice.
    if (transfer.is_old) {
      const report = await provider.get(order, asking)
      return report ? { report } : { status: failing, failure: OUTCOME_UNKNOWN }
    }
    const answer = await provider.create(order, asking)
    return 'refusal' in answer ? { status: failing, failure: answer.refusal } : { report: answer }
  },
  crediting: booking,
  capturing: booking,
  async releasing(transfer, { callFor }, traceparent) {
    const end = await askLedger(callFor, traceparent).release(toHeld(transfer))
    return end === 'released' ? { status: 'failed' } : { status: 'failed', failure: end.refusal }
  },
}

async function booking(
  transfer: ProviderTransferRow,
  { callFor }: TransferTools,
  traceparent: string,
): Promise<StepOutcome> {
  // The ledger may have forgotten the key, and to ask again could book it twice.
  if (transfer.is_too_old) return { blocked: OUTCOME_UNKNOWN }
  const booked = await book(transfer, callFor, traceparent)
  return 'refusal' in booked
    ? { blocked: booked.refusal }
    : { status: 'completed', transaction_id: booked.transactionId }
}

const HELD_DAYS = 90

/** The hold of a withdrawal. If payments never ended it, the ledger would. */
const toHeld = (transfer: ProviderTransferRow): HeldMoney => ({
  ...transfer,
  to_account_id: null,
  expires_at: new Date(transfer.created_at.getTime() + HELD_DAYS * 86_400_000),
})

/** Writes what a step led to, with its event. If another process has written it first, returns what that one
 * wrote. */
async function write(
  transfer: ProviderTransferRow,
  outcome: StepOutcome,
  { db, transact }: TransferTools,
  traceparent: string,
): Promise<ProviderTransferRow> {
  const { written } = await transact(traceparent, async (tx) => {
    if ('report' in outcome) return { written: (await hear(tx, transfer.provider, outcome.report))?.transfer }
    if ('blocked' in outcome) {
      // The key keeps the refusal, so the next attempt needs another. Of what is unknown there is none.
      // Each attempt stays in the ledger's books, so the longer it is refused, the rarer it is tried: daily
      // at last. What can never be booked is not tried again: it waits for an operator.
      const isForGood = isNeverBooked({ status: transfer.status, dispute: outcome.blocked })
      const [row] = await tx.query<ProviderTransferRow>({
        name: 'provider-transfer-blocked',
        text: `update provider_transfers set taken_at = now(),
            next_at = case when $5 then 'infinity'
              else now() + least(interval '1 hour' + (now() - created_at) / 8, interval '1 day') end,
            attempt = attempt + case when $4 then 0 else 1 end, asked_at = case when $4 then asked_at else now() end
          where id = $1 and status = $2::provider_transfer_status and attempt = $3
          returning ${providerTransferColumns}`,
        values: [
          ...[transfer.id, transfer.status, transfer.attempt, outcome.blocked === OUTCOME_UNKNOWN, isForGood],
        ],
      })
      return { written: row && (await noteDispute(tx, row, outcome.blocked)) }
    }
    const { status, hold_id: holdId, transaction_id: transactionId, failure } = outcome
    const [row] = await tx.query<ProviderTransferRow>({
      name: 'provider-transfer-step',
      text: `update provider_transfers set status = $3::provider_transfer_status, hold_id = coalesce($4, hold_id),
          transaction_id = $5, failure = coalesce($6, failure), taken_at = now(), asked_at = now(),
          next_at = now() + interval '1 minute',
          ended_at = case when $3::provider_transfer_status in ('completed', 'failed')
            then date_trunc('milliseconds', clock_timestamp()) end
        where id = $1 and status = $2::provider_transfer_status
          and not exists (select from provider_transfers where transaction_id = $5)
        returning ${providerTransferColumns}`,
      values: [transfer.id, transfer.status, status, holdId, transactionId, failure],
    })
    if (row) emitEnd(tx, row)
    return { written: row ?? (await noteTaken(tx, transfer, transactionId)) }
  })
  if (written) return written
  const found = await readProviderTransfer(db, transfer.id)
  if (!found) throw new Error(`transfer ${transfer.id} was removed`)
  return found
}

/** Notes a dispute if another transfer has the transaction: an operator who ended a dispute has named the
 * wrong one. */
async function noteTaken(
  tx: Emitting,
  transfer: ProviderTransferRow,
  transactionId: string | null | undefined,
): Promise<ProviderTransferRow | undefined> {
  const [other] = await tx.query({
    name: 'provider-transfer-taken',
    text: 'select from provider_transfers where transaction_id = $1 and id <> $2',
    values: [transactionId, transfer.id],
  })
  return other && noteDispute(tx, transfer, 'booked-for-another')
}

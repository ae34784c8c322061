import type { EventContract } from '../../../eventing/contracts/contract.ts'
import { holdCaptured, type HoldCaptured } from '../../../eventing/contracts/hold.captured.ts'
import { holdPlaced, type HoldPlaced } from '../../../eventing/contracts/hold.placed.ts'
import type { HoldEnd } from '../../../eventing/contracts/hold-end.ts'
import { holdReleased } from '../../../eventing/contracts/hold.released.ts'
import {
  transactionReversed,
  type TransactionReversed,
} from '../../../eventing/contracts/transaction.reversed.ts'
import { expiryOf } from '../holds/hold.ts'
import { formatAmount } from '../../host/values/money.ts'
import { toEvent, toEvents, type ToEvents, type WrittenRow } from './posting-event.ts'
import { createPoster, type Poster, type PosterTools } from './post.ts'
import type { PostingRequest } from './posting-request.ts'

/** Creates a poster that also takes reversals and the steps of holds. It stands in a file of its own, so that
 * deposits, withdrawals and transfers don't load the contracts of their events. */
export const createSubjectPoster = (tools: PosterTools): Poster => createPoster(tools, toSubjectEvents)

/** Returns the events that tell the outcome of any request, also of reversals and of the steps of holds. They
 * are byte for byte those that transaction_event() and hold_event() in functions/ledger/sql derive. */
export const toSubjectEvents: ToEvents = (row, request, pendingId) => {
  const { transaction_id: id, offered } = row
  const at = row.posted_at?.toISOString()
  const events =
    row.status && request.reverses
      ? [
          toEvent(
            transactionReversed,
            { id, subject: id, at, data: reversed(row, request, at), offered },
            request,
            pendingId,
          ),
        ]
      : toEvents(row, request, pendingId)
  if (row.hold_entry_id === null) return events
  const [contract, data] = holdChange(row, request, at)
  const fact = { id: row.hold_entry_id, subject: request.hold_id!, at, data, offered }
  return [...events, toEvent(contract, fact, request, pendingId)]
}

// The order of the fields is the one in which Postgres writes them.
const reversed = (row: WrittenRow, request: PostingRequest, timestamp: string): TransactionReversed => ({
  transaction_id: row.transaction_id,
  reverses: request.reverses!,
  user_id: row.user_id,
  account_id: request.account_id,
  to_account_id: request.to_account_id,
  to_user_id: row.to_user_id,
  amount: formatAmount(BigInt(request.amount), request.currency),
  currency: request.currency,
  fee: row.fee === null ? null : formatAmount(row.fee, request.currency),
  new_balance: formatAmount(row.balance_after!, request.currency),
  to_new_balance: row.to_balance_after === null ? null : formatAmount(row.to_balance_after, request.currency),
  reason: request.description,
  timestamp,
})

/** Returns the contract and the data of what a request did to a hold. */
function holdChange(
  row: WrittenRow,
  request: PostingRequest,
  timestamp: string,
): [EventContract, HoldPlaced | HoldCaptured | HoldEnd] {
  const { currency } = request
  const hold = { hold_id: request.hold_id!, user_id: row.user_id, account_id: request.account_id }
  const amount = formatAmount(BigInt(request.amount), currency)
  if (request.step === 'place') {
    const { description, caller_id: by } = request
    const expiresAt = expiryOf(row.posted_at, request.expires_in!).toISOString()
    return [
      holdPlaced,
      { ...hold, amount, currency, description, placed_by: by, expires_at: expiresAt, timestamp },
    ]
  }
  if (request.step === 'release') return [holdReleased, { ...hold, amount, currency, timestamp }]
  const released = formatAmount(row.hold_amount! - BigInt(request.amount), currency)
  return [
    holdCaptured,
    { ...hold, transaction_id: row.transaction_id, amount, released, currency, timestamp },
  ]
}

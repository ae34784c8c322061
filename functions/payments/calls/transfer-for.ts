import { RefusedForNowError, UnavailableError } from '../../../eventing/unavailable.ts'
import type { CallResponse } from '../../host/http/call.ts'
import type { Tools } from '../../host/tools.ts'

/** A transfer from a customer's account, as the ledger takes it. */
export interface TransferOrder {
  /** Owner of `account_id`. */
  userId: string
  /** A repeated call has the same key and the same content. Then it moves the money once. */
  key: string
  body: {
    account_id: string
    to_account_id: string
    /** Decimal string. */
    amount: string
    currency: string
    description?: string
    metadata: Record<string, string>
  }
}

export type TransferOutcome =
  | { outcome: 'paid'; transactionId: string }
  /** The ledger has decided, and the key keeps the refusal: only another key can lead to another outcome.
   * `problem` is its name. */
  | { outcome: 'refused'; problem: string }
  /** Perhaps the money has moved, perhaps not. The call must be repeated with its key. `isForNow`: the ledger
   * is there, but refuses such transfers for now, or something of this one failed. */
  | { outcome: 'unknown'; reason: string; isForNow?: boolean }

/** Days after which a call without a known outcome must not be repeated: the ledger forgets keys after
 * seven. */
export const KEY_DAYS_MAX = 6

/** The problem of what was called too long ago to be repeated. */
export const OUTCOME_UNKNOWN = 'outcome-unknown'

// What is refused for other reasons than the bank's rules may be accepted later, with the same key.
const REFUSALS = new Set([400, 404, 409, 422])
// After 'idempotency-key-reused' the money may have moved: an earlier call with the key was put otherwise.
const NO_DECISION = new Set(['not-found', 'idempotency-key-in-use', 'idempotency-key-reused'])

/** Asks the ledger for a transfer on a customer's behalf. Does not throw if the ledger can't be reached. */
export async function transferFor(
  { callFor }: Pick<Tools, 'callFor'>,
  { userId, key, body }: TransferOrder,
  traceparent: string,
): Promise<TransferOutcome> {
  try {
    const answer = await callFor(userId, traceparent)('transfer', {
      method: 'POST',
      path: '/transactions',
      body: { type: 'transfer', ...body },
      idempotencyKey: key,
    })
    return outcomeOf(answer)
  } catch (error) {
    if (error instanceof UnavailableError)
      return {
        ...{ outcome: 'unknown', reason: error.message },
        ...(error instanceof RefusedForNowError && { isForNow: true }),
      }
    throw error
  }
}

function outcomeOf({ status, body }: CallResponse): TransferOutcome {
  const { id, type } = (body ?? {}) as { id?: unknown; type?: unknown }
  if (status === 201 && typeof id === 'string') return { outcome: 'paid', transactionId: id }
  const problem = typeof type === 'string' ? type.split('/').at(-1)! : ''
  if (REFUSALS.has(status) && problem && !NO_DECISION.has(problem)) return { outcome: 'refused', problem }
  return { outcome: 'unknown', reason: `transfer answered ${status} ${problem}` }
}

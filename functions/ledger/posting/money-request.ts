import type { Caller } from '../../host/route-request.ts'
import type { Reply } from '../../host/reply.ts'
import { ProblemError, problems, type FieldError } from '../../host/problems.ts'
import type { PostingOutcome } from './post.ts'
import type { PostingRequest } from './posting-request.ts'
import { toTransaction } from '../transactions/transaction.ts'

/** One deposit, withdrawal or transfer as the HTTP schema accepts it. */
export interface MoneyRequest {
  account_id: string
  to_account_id?: string
  amount: string | number
  currency?: string
  description?: string
  metadata?: Record<string, unknown>
  value_date?: string
}

/** Largest metadata of one transaction, in bytes as JSON. Many transactions are posted together, so large
 * metadata makes others wait: a group of 200 with 50 kB each would take a second instead of 30 ms. */
export const METADATA_BYTES_MAX = 4_096

/** Returns what is wrong with the size of a request's metadata; undefined if nothing is. The schema has
 * checked the rest. `at` is the JSON pointer to the request. */
export function checkMetadata({ metadata }: MoneyRequest, at = ''): FieldError | undefined {
  if (!metadata || Buffer.byteLength(JSON.stringify(metadata)) <= METADATA_BYTES_MAX) return undefined
  return { path: `${at}/metadata`, message: `must take at most ${METADATA_BYTES_MAX} bytes as JSON` }
}

/** Throws a ProblemError (400) if checkMetadata() finds a fault. */
export function requireMetadata(request: MoneyRequest): void {
  const fault = checkMetadata(request)
  if (!fault) return
  throw new ProblemError(problems.invalidInput, 'The body does not match what this operation accepts.', {
    errors: [fault],
  })
}

/** Throws a ProblemError (403) if somebody else than an operator gives a value date: they could move what
 * they owe or earn to another month. */
export function requireMayDate({ value_date: valueDate }: MoneyRequest, caller: Pick<Caller, 'role'>): void {
  if (valueDate === undefined || caller.role === 'operator') return
  throw new ProblemError(problems.forbidden, 'Only operators of the bank may give a value date.')
}

type PostedOutcome = Pick<
  PostingOutcome & { outcome: 'posted' },
  'transactionId' | 'balanceAfter' | 'fee' | 'postedAt'
>

/** The answer for a transaction that was posted. */
export function toCreated(posting: PostingRequest, posted: PostedOutcome, caller: Caller): Reply {
  const transaction = toPostedTransaction(posting, posted, caller)
  return { status: 201, headers: { location: `/api/transactions/${transaction.id}` }, body: transaction }
}

/** The transaction that a request came to, as it is answered.
 * A replay has the content of the first request: its key would not have been accepted otherwise. */
export const toPostedTransaction = (posting: PostingRequest, posted: PostedOutcome, caller: Caller) =>
  toTransaction(
    // Field by field, because copying the whole request takes longer than all else done for the answer.
    {
      id: posted.transactionId,
      // Only movements of money are answered with a transaction.
      type: posting.type!,
      status: 'completed',
      account_id: posting.account_id,
      to_account_id: posting.to_account_id,
      amount: BigInt(posting.amount),
      currency: posting.currency,
      description: posting.description,
      metadata: posting.metadata,
      balance_after: posted.balanceAfter,
      created_at: posted.postedAt,
      value_date: posting.value_date,
      fee: posted.fee,
      hold_id: posting.hold_id,
      reverses: posting.reverses,
      reversed_by: null,
      refusal: null,
    },
    caller,
  )

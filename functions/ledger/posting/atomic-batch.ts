import type { PendingEvent } from '../../../eventing/outbox-event.ts'
import type { Transaction } from '../../host/database/database.ts'
import { toBatchOutcome, toNotPosted, type BatchOutcome } from './batch.ts'
import { postTransactions, type PostingFailure, type PostingOutcome } from './post.ts'
import { toRecords } from './posting-records.ts'
import type { PostingRequest } from './posting-request.ts'
import type { BatchRefusal } from './refusals.ts'
import { toStopped } from '../stops/stopped.ts'

export interface PostedBatch {
  outcome: BatchOutcome
  /** Publish these after the commit. */
  events: readonly PendingEvent[]
}

/** Posts all transactions of a batch or none. The savepoint undoes the postings but keeps the batch's key, so
 * that the refusal can be stored with the key. */
export async function postAllOrNothing(tx: Transaction, postings: PostingRequest[]): Promise<PostedBatch> {
  await tx.query({ text: 'savepoint before_batch' })
  const { outcomes, events } = await postTransactions(tx, postings)
  if (outcomes.every(({ outcome }) => outcome === 'posted'))
    return { outcome: toBatchOutcome(outcomes), events }
  await tx.query({ text: 'rollback to savepoint before_batch' })
  return { outcome: toNotPosted(await tell(tx, postings, outcomes)), events: [] }
}

type ToldOutcome = 'posted' | PostingFailure | BatchRefusal

/** Returns what the caller is told of a batch that was refused. It costs them nothing, and can be repeated
 * with other amounts, so it must not tell how much room other customers' accounts have. If a payee has too
 * little, the caller is told what a batch comes to whose payees have room; and if nothing else is wrong, that
 * some payee has none, but not which. */
async function tell(
  tx: Transaction,
  postings: PostingRequest[],
  outcomes: readonly PostingOutcome[],
): Promise<readonly ToldOutcome[]> {
  const { caller_id: callerId, caller_role: role } = postings[0]!
  const isTransfer = postings.map(({ type }) => type === 'transfer')
  const judged = outcomes.map(({ outcome }) => outcome)
  if (role === 'operator' || !isTransfer.includes(true)) return judged
  // Always asked, so that the time it takes tells nothing either.
  const blind = await judgeBlindly(tx, postings)
  if (!judged.some((outcome, i) => outcome === 'limit-exceeded' && isTransfer[i])) return judged
  if (blind.some(({ outcome }) => outcome !== 'posted')) return blind.map(({ outcome }) => outcome)
  const isStrangers = blind.map(({ to_user_id: payee }) => payee !== null && payee !== callerId)
  return isStrangers.includes(true)
    ? isStrangers.map((isOne) => (isOne ? 'payee-limit-exceeded' : 'not-posted'))
    : judged
}

interface JudgedRow {
  outcome: 'posted' | PostingFailure
  /** The owner of the account to which a transfer goes. */
  to_user_id: string | null
}

async function judgeBlindly(tx: Transaction, postings: PostingRequest[]): Promise<JudgedRow[]> {
  const rows = tx.query<JudgedRow>({
    name: 'judge-blindly',
    text: 'select outcome, to_user_id from judge_blindly($1)',
    values: [
      toRecords(
        postings,
        postings.map(({ id }) => id),
      ),
    ],
  })
  return rows.catch((error: unknown) => {
    // The currency may have been stopped since.
    throw toStopped(error)
  })
}

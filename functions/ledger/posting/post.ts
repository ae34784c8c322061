import type { Outbox } from '../../../eventing/outbox.ts'
import type { PendingEvent } from '../../../eventing/outbox-event.ts'
import { GROUP_MAX } from '../../../eventing/pending.ts'
import type { Log } from '../../../monitoring/log.ts'
import type { Metrics } from '../../../monitoring/metrics.ts'
import { sqlstate, type Database, type Transaction } from '../../host/database/database.ts'
import { createGroupCommit } from '../../../eventing/group-commit.ts'
import { createFollowUp } from './follow-up.ts'
import { toEvents, type ToEvents, type WrittenRow } from './posting-event.ts'
import { toRecords } from './posting-records.ts'
import type { KeyRefusal, PostingRefusal, SubjectRefusal } from './refusals.ts'
import type { PostingRequest } from './posting-request.ts'
import type { Guard } from '../stops/guard.ts'
import { LedgerStoppedError, toStopped } from '../stops/stopped.ts'
import { uuidv7 } from '../values/uuid.ts'

export type PostingFailure = PostingRefusal | SubjectRefusal | KeyRefusal

/** The outcome of a request. `replayed` is true if it is the outcome of an earlier request with the same key
 * or id. If a hold was placed or released, `transactionId` is the id of the hold, and no balance changed. */
export type PostingOutcome =
  | {
      outcome: 'posted'
      replayed: boolean
      transactionId: string
      balanceAfter: bigint | null
      /** What the owner of the account paid for it; null if nothing. In minor units, like the balance. */
      fee: bigint | null
      postedAt: Date
    }
  | { outcome: PostingFailure; replayed: boolean }

export interface Poster {
  /** Posts one transaction. Rejects with UnavailableError if the database is unreachable, or if too many
   * transactions wait; with LedgerStoppedError if postings in its currency are stopped. */
  post(request: PostingRequest): Promise<PostingOutcome>
}

export interface PosterTools {
  db: Database
  outbox: Outbox
  log: Log
  metrics?: Pick<Metrics, 'observe'>
}

interface OutcomeRow extends WrittenRow {
  /** Place of the request in its batch, from 1. */
  n: number
  outcome: 'posted' | PostingFailure
  replayed: boolean
}

const BATCH_MAX = 500
const WAITING_MAX = 5_000
const ATTEMPTS = 4
// Serialization failure, deadlock, and unique_violation. If two deliveries of one order are posted at the
// same moment, the second gets a unique_violation; repeated, it finds the first.
const REPEATABLE = new Set(['40001', '40P01', '23505'])

// A process asks this often whether a stop was lifted. Meanwhile it refuses the currency by itself, so that
// others don't wait for what will be refused.
const STOPPED_MS = 1_000

/** Creates a poster that posts in groups; see createGroupCommit(). It posts one batch at a time, because two
 * would make each other smaller, and a transaction costs the database a third more in a batch of 25 than in
 * one of 125. `eventsOf` makes the events of a request. A guard checks what was posted. */
export function createPoster(
  { db, outbox, log, metrics }: PosterTools,
  eventsOf: ToEvents = toEvents,
  guard?: Guard,
): Poster {
  const followUp = createFollowUp({ db, log }, guard)
  const stops = createKnownStops()

  const commit = async (requests: PostingRequest[]) => {
    let going = requests
    for (let attempt = 1; ;) {
      try {
        const { outcomes, events } = await postTransactions(db, going, eventsOf)
        followUp.note(going)
        metrics?.observe('microbank_batch_size', '', going.length)
        return { results: inOrderOf(requests, going, outcomes), events }
      } catch (error) {
        if (error instanceof LedgerStoppedError) {
          // The stop of a currency is no reason to refuse another's postings.
          stops.add(error.currencies)
          going = going.filter(({ currency }) => !error.currencies.includes(currency))
          if (going.length === 0) return { results: requests.map(() => undefined), events: [] }
        } else if (attempt++ === ATTEMPTS || !REPEATABLE.has(sqlstate(error) ?? '')) throw error
      }
    }
  }
  const limit = { waiting: WAITING_MAX, refusal: 'too many transactions are waiting to be posted' }
  const post = createGroupCommit({ commit, outbox, groupMax: BATCH_MAX, limit })
  return {
    async post(request) {
      const outcome = stops.has(request.currency) ? undefined : await post(request)
      if (outcome) return outcome
      throw new LedgerStoppedError([request.currency])
    },
  }
}

/** Returns the outcome of each request; undefined for those that were left out of the batch. */
function inOrderOf(
  requests: readonly PostingRequest[],
  going: readonly PostingRequest[],
  outcomes: readonly PostingOutcome[],
): readonly (PostingOutcome | undefined)[] {
  if (going === requests) return outcomes
  const outcomeOf = new Map(going.map((request, i) => [request, outcomes[i]]))
  return requests.map((request) => outcomeOf.get(request))
}

/** Currencies whose postings have just been refused because of a stop. */
function createKnownStops() {
  const until = new Map<string, number>()
  return {
    add: (currencies: readonly string[]) =>
      currencies.forEach((currency) => until.set(currency, performance.now() + STOPPED_MS)),
    has: (currency: string) => until.size > 0 && performance.now() < (until.get(currency) ?? 0),
  }
}

export interface PostedGroup {
  /** In the order of the requests. */
  outcomes: PostingOutcome[]
  /** Publish these after the commit. */
  events: PendingEvent[]
}

/** Posts a batch within `tx`, or in a transaction of its own where that is the database itself. Rejects with
 * LedgerStoppedError if a currency of the batch is stopped; then nothing of it is posted. */
export async function postTransactions(
  tx: Transaction,
  requests: PostingRequest[],
  eventsOf: ToEvents = toEvents,
): Promise<PostedGroup> {
  const pendingIds = toPendingIds(requests)
  const hasSubjects = requests.some(({ step, reverses }) => step !== null || reverses !== null)
  const rows = await tx
    .query<OutcomeRow>({
      name: 'post-transactions',
      text: 'select * from post_transactions($1, $2)',
      values: [toRecords(requests, pendingIds), hasSubjects],
      traceparents: requests.map(({ traceparent }) => traceparent),
    })
    .catch((error: unknown) => {
      throw toStopped(error)
    })
  const outcomes = new Array<PostingOutcome>(requests.length)
  const events: PendingEvent[] = []
  for (const row of rows) {
    const i = row.n - 1
    outcomes[i] = toOutcome(row)
    events.push(...eventsOf(row, requests[i]!, pendingIds[i]!))
  }
  return { outcomes, events }
}

const toOutcome = ({ outcome, replayed, ...row }: OutcomeRow): PostingOutcome =>
  outcome === 'posted'
    ? {
        outcome,
        replayed,
        transactionId: row.transaction_id,
        balanceAfter: row.balance_after,
        fee: row.fee,
        postedAt: row.posted_at,
      }
    : { outcome, replayed }

/** Returns an id for each request of a batch; as many as fit into a row of `outbox_pending` with their events
 * share one. */
function toPendingIds(requests: readonly PostingRequest[]): string[] {
  let id = uuidv7()
  let events = 0
  return requests.map(({ step }) => {
    // A capture has two: of the transfer, and of the hold.
    const more = step === 'capture' ? 2 : 1
    if (events + more > GROUP_MAX) [id, events] = [uuidv7(), 0]
    events += more
    return id
  })
}

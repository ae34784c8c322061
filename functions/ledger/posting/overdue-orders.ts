import {
  transactionRequested,
  type TransactionRequested,
} from '../../../eventing/contracts/transaction.requested.ts'
import type { Tools } from '../../host/tools.ts'
import { LedgerStoppedError } from '../stops/stopped.ts'
import { createPoster, type Poster } from './post.ts'
import { toRequestedPosting } from './respond-async.ts'

interface OverdueRow {
  id: string
  created_at: Date
  /** Data of its transaction.requested, as JSON text. */
  data: string
  traceparent: string
}

/** By this age an order's event has been delivered, unless something is wrong. */
const AGE_MAX = '2 minutes'
const PAGE = 200
// Less than the function's `timeoutSeconds`; the next sweep continues.
const TIME_MAX_MS = 15_000

/** Posts, or refuses, the orders that were answered with 202 long ago and are still pending, whatever became
 * of their events: never published, refused by the Broker, a dead letter, or signed with a key that has been
 * replaced. The ledger has stored them itself, so no signature is asked for. Each is posted once, also where
 * its event is delivered at the same moment. One that can't be posted does not stand in the way of the
 * others; orders of a currency whose postings are stopped stay pending.
 *
 * `timeMaxMs` limits the run. Returns the number of orders settled. Rejects with UnavailableError if the
 * database is unreachable. */
export async function postOverdueOrders(
  tools: Pick<Tools, 'db' | 'outbox' | 'log'>,
  timeMaxMs = TIME_MAX_MS,
): Promise<number> {
  const poster = createPoster(tools)
  const endsAt = performance.now() + timeMaxMs
  let settled = 0
  let last: OverdueRow | undefined
  do {
    const rows: OverdueRow[] = await tools.db.query<OverdueRow>({
      // The statement has no name: its plan must suit a table that is empty now and full the next moment.
      text: `select * from overdue_orders('${AGE_MAX}', $1, $2, ${PAGE})`,
      values: [last?.created_at, last?.id],
    })
    settled += await postAll(rows, poster, tools)
    last = rows.length === PAGE ? rows[PAGE - 1] : undefined
  } while (last && performance.now() < endsAt)
  return settled
}

async function postAll(
  rows: readonly OverdueRow[],
  poster: Poster,
  { log }: Pick<Tools, 'log'>,
): Promise<number> {
  const results = await Promise.allSettled(rows.map((row) => postOne(row, poster)))
  results.forEach((result, i) => {
    // Nothing is wrong with it: it waits until the stop is lifted.
    if (result.status === 'rejected' && !(result.reason instanceof LedgerStoppedError))
      log.error(`an overdue ${transactionRequested.type} could not be posted`, {
        transaction_id: rows[i]!.id,
        error: (result.reason as Error).message,
      })
  })
  return results.filter(({ status }) => status === 'fulfilled').length
}

async function postOne({ data, traceparent }: OverdueRow, poster: Poster): Promise<void> {
  const order = JSON.parse(data) as TransactionRequested
  await poster.post(toRequestedPosting(order, traceparent))
}

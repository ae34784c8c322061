import type { Database } from '../../host/database/database.ts'
import type { PostingRequest } from '../posting/posting-request.ts'

const TIME_MAX_MS = 5_000
/** A search reads up to two thousand transactions that are not indexed yet, so this many may wait. */
const WAITING_MAX = 1_000

/** Puts transactions with text into the search index, until none is left or the time is over. Returns how
 * many. The rest is done by the next call; searches find it all the same. */
export async function indexTransactions(db: Database, timeMaxMs = TIME_MAX_MS): Promise<number> {
  const endsAt = performance.now() + timeMaxMs
  let total = 0
  for (;;) {
    const [row] = await db.query<{ count: number }>({
      name: 'index-transactions',
      text: 'select index_transactions() as count',
    })
    total += row!.count
    if (row!.count === 0 || performance.now() > endsAt) return total
  }
}

/** Tells the index of transactions that were posted. */
export type Indexing = (posted: readonly Pick<PostingRequest, 'description' | 'metadata'>[]) => void

/** Creates what a process that posts calls after its commits. Each time it has posted a thousand transactions
 * with text, it indexes as many in the background, so that searches stay fast under load. If that fails, the
 * sweep does it. */
export function createIndexing({ db }: { db: Database }): Indexing {
  let waiting = 0
  return (posted) => {
    for (const { description, metadata } of posted) if (description !== null || metadata) waiting++
    if (waiting < WAITING_MAX) return
    waiting = 0
    db.query({ text: `select index_transactions(${WAITING_MAX})` }).catch(() => {})
  }
}

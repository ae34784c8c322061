import { setTimeout as delay } from 'node:timers/promises'
import { countPending, type BenchDatabases } from './databases.ts'

/** Tells whether every transfer since a moment was told to its owner. */
export interface DeliveryWatch {
  /** Resolves with the number of events that are stored and not published, in both outboxes. */
  pending(): Promise<number>
  /** Resolves when both outboxes are empty and the transactions posted since the watch began have exactly one
   * notification each. Throws if that takes longer than `timeoutMs`. */
  untilDelivered(timeoutMs?: number): Promise<Delivered>
}

export interface Delivered {
  /** Transactions posted, and notifications stored, since the watch began. */
  count: number
  /** Events that waited for publishing when `untilDelivered` was called. */
  backlog: number
  /** Time from that call until all was delivered, in ms. */
  drainMs: number
}

const DRAIN_MS_MAX = 120_000

/** Watches from now on. Events of earlier work must have been delivered or forgotten. */
export async function watchDelivery({
  owner,
  ownerOf,
}: Pick<BenchDatabases, 'owner' | 'ownerOf'>): Promise<DeliveryWatch> {
  const notifications = ownerOf('notifications')
  const [{ since }] = (await owner.query<{ since: string }>({
    text: 'select clock_timestamp()::text as since',
  })) as [{ since: string }]

  const pending = async (): Promise<number> => {
    const counts = await Promise.all([owner, notifications].map(countPending))
    return counts.reduce((sum, count) => sum + count, 0)
  }
  // A sum of hashes is the same in any order, so it tells whether both databases name the same transactions.
  const summary = async (database: typeof owner, table: string, id: string) => {
    const text = `select count(*)::text, sum(hashtextextended(${id}::text, 0))::text as hash
      from ${table} where created_at >= $1`
    const [row] = await database.query<{ count: string; hash: string | null }>({ text, values: [since] })
    return row!
  }

  return {
    pending,
    async untilDelivered(timeoutMs = DRAIN_MS_MAX) {
      const startedAt = performance.now()
      const backlog = await pending()
      for (;;) {
        const waiting = await pending()
        const drainMs = performance.now() - startedAt
        const isLate = drainMs > timeoutMs
        // The summary reads whole tables, so it is made only if nothing waits.
        if (waiting === 0 || isLate) {
          const posted = await summary(owner, 'transactions', 'id')
          const told = await summary(notifications, 'notifications', 'subject')
          if (waiting === 0 && posted.count === told.count && posted.hash === told.hash)
            return { count: Number(posted.count), backlog, drainMs }
          if (isLate)
            throw new Error(
              `EVENTS ARE MISSING: ${posted.count} transactions have ${told.count} notifications, and ` +
                `${waiting} events wait, ${Math.round(drainMs / 1000)} s after the load`,
            )
        }
        await delay(50)
      }
    },
  }
}

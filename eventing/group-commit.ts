import { setTimeout as delay } from 'node:timers/promises'
import type { Outbox } from './outbox.ts'
import type { PendingEvent } from './outbox-event.ts'
import { UnavailableError } from './unavailable.ts'

export interface GroupCommitOptions<Item, Result> {
  /** Does the work of all items in one database transaction. Resolves with a result for each item, in their
   * order, and with the events that are to be published then. */
  commit: (items: Item[]) => Promise<{ results: readonly Result[]; events: readonly PendingEvent[] }>
  outbox: Pick<Outbox, 'publish'>
  /** Most items in one transaction. */
  groupMax: number
  /** Above this many waiting items, new ones are refused with this message. Omit it if the caller limits the
   * items by itself. */
  limit?: { waiting: number; refusal: string }
  /** Waits for more items to come, after a group of several; 3 ms if it is omitted. */
  gather?: () => Promise<void>
}

// Far longer than a commit takes, and far shorter than the time-out for a silent database.
const WAIT_MS_MAX = 1_000

// A group costs the database about as much as ten more items, so small groups are dear. Those who were just
// answered often ask again at once: for a moment they are waited for. Then few clients make one group instead
// of two that take turns.
const GATHER_MS = 3
// A group of as many costs each item little.
const ENOUGH = 32

interface WaitingItem<Item, Result> {
  item: Item
  /** When it began to wait, by performance.now(). */
  since: number
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/** Creates a function that commits items in groups, one group at a time. Items that arrive during a commit
 * form the next group. Under load many items so share one round trip and one commit, and after a group of
 * several more are waited for, a few milliseconds; a lone item is committed at once.
 *
 * The function resolves with an item's result once that is committed. It rejects with UnavailableError if
 * the database is away, if earlier items waited for it in vain, or if too many items are waiting. If the
 * item itself is at fault it rejects with another error, and the other items of the group are committed
 * without it. */
export function createGroupCommit<Item, Result>(
  options: GroupCommitOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { commit, outbox, groupMax, limit, gather = () => delay(GATHER_MS) } = options
  const waiting: WaitingItem<Item, Result>[] = []
  let isCommitting = false

  const commitWaiting = async (): Promise<void> => {
    if (isCommitting) return
    isCommitting = true
    while (waiting.length > 0) {
      const group = waiting.splice(0, groupMax)
      await settle(group)
      if (group.length > 1 && waiting.length < Math.min(ENOUGH, groupMax)) await gather()
    }
    isCommitting = false
  }

  // Otherwise each group in turn would wait for the silent database, the last of them for minutes.
  const refuseThoseWhoWaitedLong = (error: UnavailableError): void => {
    const before = performance.now() - WAIT_MS_MAX
    const count = waiting.findIndex(({ since }) => since > before)
    const refused = waiting.splice(0, count === -1 ? waiting.length : count)
    for (const { reject } of refused)
      reject(new UnavailableError('the database did not answer earlier requests', { cause: error }))
  }

  const settle = async (group: WaitingItem<Item, Result>[]): Promise<void> => {
    try {
      const { results, events } = await commit(group.map(({ item }) => item))
      group.forEach(({ resolve }, i) => resolve(results[i]!))
      publishCommitted(outbox, events)
    } catch (error) {
      // One item may be at fault. Committed one by one, the others don't share its fate.
      if (group.length > 1 && !(error instanceof UnavailableError))
        for (const one of group) await settle([one])
      else for (const { reject } of group) reject(error)
      if (error instanceof UnavailableError) refuseThoseWhoWaitedLong(error)
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (limit && waiting.length >= limit.waiting) {
        reject(new UnavailableError(limit.refusal))
        return
      }
      waiting.push({ item, since: performance.now(), resolve, reject })
      void commitWaiting()
    })
}

/** Never throws: what is committed must not be done again one by one, as after a commit that failed. */
function publishCommitted(outbox: Pick<Outbox, 'publish'>, events: readonly PendingEvent[]): void {
  try {
    outbox.publish(events)
  } catch (error) {
    // They are stored, so the sweep finds them.
    process.emitWarning(error as Error)
  }
}

import type { Outbox } from './outbox.ts'
import type { OutboxEvent } from './outbox-event.ts'
import { UnavailableError } from './unavailable.ts'

export interface GroupCommitOptions<Item, Result> {
  /** Does the work of all in one database transaction. Resolves with a result for each, in their order, and
   * the events that it stored in the outbox. */
  commit: (items: Item[]) => Promise<{ results: readonly Result[]; events: readonly OutboxEvent[] }>
  outbox: Pick<Outbox, 'publish'>
  groupMax: number
  /** Beyond so many that wait, more are refused with this sentence; without it whoever calls has a bound of
   * his own. */
  limit?: { waiting: number; refusal: string }
}

// Long beside a commit, short beside the time-out of a database that has fallen silent.
const WAIT_MS_MAX = 1_000

interface Waiting<Item, Result> {
  item: Item
  /** By performance.now(). */
  since: number
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/** Group commit: what arrives while a group is being committed goes into the next one, so under load many
 * share one round trip and one commit, and a lone one goes at once. One group at a time.
 *
 * Resolves with an item's result once it is committed. Rejects with UnavailableError where the database is
 * away, those before waited for it in vain, or too much is waiting; with another error where the item itself
 * is at fault, which the others of its group don't share. */
export function createGroupCommit<Item, Result>(
  options: GroupCommitOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { commit, outbox, groupMax, limit } = options
  const waiting: Waiting<Item, Result>[] = []
  let isCommitting = false

  const commitWaiting = async (): Promise<void> => {
    if (isCommitting) return
    isCommitting = true
    while (waiting.length > 0) await settle(waiting.splice(0, groupMax))
    isCommitting = false
  }

  // Each group would wait for the same silent database in its turn, the last of them for minutes.
  const refuseThoseWhoWaitedLong = (error: UnavailableError): void => {
    const before = performance.now() - WAIT_MS_MAX
    const count = waiting.findIndex(({ since }) => since > before)
    const refused = waiting.splice(0, count === -1 ? waiting.length : count)
    for (const { reject } of refused)
      reject(new UnavailableError('the database did not answer those before', { cause: error }))
  }

  const settle = async (group: Waiting<Item, Result>[]): Promise<void> => {
    try {
      const { results, events } = await commit(group.map(({ item }) => item))
      group.forEach(({ resolve }, i) => resolve(results[i]!))
      outbox.publish(events)
    } catch (error) {
      // Where the fault lies with one item, the others must not share its fate.
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

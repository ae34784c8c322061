import type { Log } from '../monitoring/log.ts'
import { sqlstate } from './database/database-errors.ts'
import type { Queryable } from './database/queryable.ts'
import type { PendingEvent } from './outbox-event.ts'
import { forget, part, release, type PendingGroup } from './pending.ts'
import type { PublishOutcome } from './relay.ts'

/** What became of the events of a row of `outbox_pending`. */
export interface GroupOutcome {
  id: string
  /** Ids of events. */
  confirmed: string[]
  refused: string[]
  /** Number of events. */
  failed: number
  left: number
}

/** Returns a function to be called with the outcome of each event. When the last event of a row has its
 * outcome, calls `onSettled` with that of the row. */
export function followGroups(
  events: readonly PendingEvent[],
  onSettled: (group: GroupOutcome) => void,
): (event: PendingEvent, outcome: PublishOutcome) => void {
  const groups = new Map<string, GroupOutcome & { open: number }>()
  for (const { pendingId: id } of events) {
    const group = groups.get(id) ?? { id, open: 0, confirmed: [], refused: [], failed: 0, left: 0 }
    groups.set(id, group)
    group.open++
  }
  return ({ id, pendingId }, outcome) => {
    const group = groups.get(pendingId)!
    if (outcome === 'confirmed' || outcome === 'refused') group[outcome].push(id)
    else group[outcome]++
    if (--group.open === 0) onSettled(group)
  }
}

/** Stores the outcomes of rows. A row is deleted if all its events are confirmed. Otherwise it keeps those
 * that are not: for the next sweep if one failed, else as long as this process has claimed it. A crash at any
 * line leaves every event that is not confirmed. */
export async function storeOutcomes(db: Queryable, log: Log, groups: readonly GroupOutcome[]): Promise<void> {
  const refused = groups.flatMap((group) => group.refused)
  if (refused.length > 0)
    log.error('the Broker refused events; a sweep tries them again in an hour', { events: refused })

  const parted = groups.filter(
    (group) => group.refused.length > 0 || (group.confirmed.length > 0 && !isComplete(group)),
  )
  const partings = parted.map(({ id, confirmed, refused, failed }) => ({
    id,
    confirmed,
    refused,
    isReleased: failed > 0,
  }))
  if (parted.length > 0) await persistently(() => part(db, partings))
  const complete = groups.filter(isComplete)
  if (complete.length > 0) await persistently(() => forget(db, idsOf(complete)))
  const released = groups.filter(
    (group) => group.failed > 0 && group.confirmed.length + group.refused.length === 0,
  )
  if (released.length > 0) await persistently(() => release(db, idsOf(released)))
}

const ATTEMPTS = 4
const DEADLOCK = '40P01'

/** Runs `change` again after a deadlock. Processes that publish the same rows lock them in different orders;
 * locking them in one order would cost more in each of the many cases in which a process is alone. */
async function persistently(change: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await change()
    } catch (error) {
      if (attempt === ATTEMPTS || sqlstate(error) !== DEADLOCK) throw error
    }
  }
}

/** Takes events that no table has out of rows that were claimed. A sweep tries them again in an hour, because
 * somebody may put back what they follow from. Deletes rows that have no events. */
export async function setAside(db: Queryable, log: Log, groups: readonly PendingGroup[]): Promise<void> {
  const torn = groups.filter(({ missing }) => missing.length > 0)
  if (torn.length > 0) {
    log.error('no table has these events, so they can’t be published; a sweep tries them again in an hour', {
      events: torn.flatMap(({ missing }) => missing),
    })
    await part(
      db,
      torn.map(({ id, missing }) => ({ id, confirmed: [], refused: missing, isReleased: false })),
    )
  }
  const empty = groups.filter(({ events }) => events.length === 0).map(({ id }) => id)
  if (empty.length > 0) await forget(db, empty)
}

/** Whether nothing is left in the row, apart from what was refused and is moved to rows of its own. */
const isComplete = ({ failed, left }: GroupOutcome): boolean => failed + left === 0

const idsOf = (groups: readonly GroupOutcome[]): string[] => groups.map(({ id }) => id)

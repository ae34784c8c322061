import { seconds, type Condition } from '../object.ts'

/** The order in which Knative's controllers write them. */
const byType = (a: Condition, b: Condition): number => (a.type < b.type ? -1 : 1)

/** Gives conditions, whose statuses are found out anew each time, the moment since when each is what it
 * is. */
export type Since = (uid: string, conditions: readonly Condition[]) => Condition[]

/** @param startedAt since when a condition holds that is seen for the first time */
export function createTransitions(startedAt: Date, now: () => Date = () => new Date()): Since {
  const known = new Map<string, { status: string; since: string }>()
  return (uid, conditions) =>
    [...conditions].sort(byType).map((condition) => {
      const key = `${uid} ${condition.type}`
      const before = known.get(key)
      const isSame = before?.status === condition.status
      const since = isSame ? before.since : seconds(before ? now() : startedAt)
      known.set(key, { status: condition.status, since })
      return { ...condition, lastTransitionTime: since }
    })
}

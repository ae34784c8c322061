import { seconds, type Condition } from '../object.ts'

/** The order in which Knative's controllers write conditions. */
const byType = (a: Condition, b: Condition): number => (a.type < b.type ? -1 : 1)

/**
 * Adds to each condition the time since when its status has had its value. The statuses are computed anew
 * each time.
 */
export type Since = (uid: string, conditions: readonly Condition[]) => Condition[]

/** @param startedAt the time for a condition that is seen for the first time */
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

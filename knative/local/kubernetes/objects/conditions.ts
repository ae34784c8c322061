import type { Condition } from '../object.ts'

/** A condition without its type. */
export type Told = Omit<Condition, 'type'>

export const TRUE: Told = { status: 'True' }

/**
 * Returns the Ready condition that follows from the others. False wins over Unknown; among several, the one
 * that was set last wins. Conditions that are only information don't count. The same rules as
 * recomputeHappiness in knative.dev/pkg/apis/condition_set.go.
 * @param conditions in the order in which the controllers set them
 */
export function readyOf(conditions: readonly Condition[]): Told {
  const last = (status: Condition['status']) =>
    conditions.findLast((condition) => condition.status === status && condition.severity !== 'Info')
  const { type: _other, ...told } = last('False') ?? last('Unknown') ?? { type: '', ...TRUE }
  return told
}

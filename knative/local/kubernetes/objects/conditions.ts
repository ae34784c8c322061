import type { Condition } from '../object.ts'

/** What is told of a condition, without its name. */
export type Told = Omit<Condition, 'type'>

export const TRUE: Told = { status: 'True' }

/**
 * The Ready that follows from the others. What is False comes before what is Unknown, and of several the one
 * that was marked last; what is only information says nothing. Like recomputeHappiness in
 * knative.dev/pkg/apis/condition_set.go.
 * @param conditions in the order in which the controllers mark them
 */
export function readyOf(conditions: readonly Condition[]): Told {
  const last = (status: Condition['status']) =>
    conditions.findLast((condition) => condition.status === status && condition.severity !== 'Info')
  const { type: _other, ...told } = last('False') ?? last('Unknown') ?? { type: '', ...TRUE }
  return told
}

import { groupsByEvent } from '../../../eventing/groups-by-event.ts'
import type { DatabaseContext } from '../../contexts.ts'
import { HOOK_TYPES_OF_CUSTOMERS, HOOK_TYPES_OF_OPERATORS } from '../../host/values/web-hook-types.ts'

type TypesByContext = Readonly<Partial<Record<DatabaseContext, readonly string[]>>>

export interface OfferedType {
  type: string
  /** The context that states it. */
  context: string
}

const listOf = (types: TypesByContext): OfferedType[] =>
  Object.entries(types).flatMap(([context, names]) => names.map((type) => ({ type, context })))

export const offeredTypes: readonly OfferedType[] = [
  ...listOf(HOOK_TYPES_OF_CUSTOMERS),
  ...listOf(HOOK_TYPES_OF_OPERATORS),
]

/** Types that a customer's hook can have. */
export const customerTypes: readonly string[] = listOf(HOOK_TYPES_OF_CUSTOMERS).map(({ type }) => type)

/** Types that an operator's hook can have: all. */
export const operatorTypes: readonly string[] = offeredTypes.map(({ type }) => type)

/** Types whose events are offered only if they concern somebody who is watched. */
export const watchedTypes: readonly string[] = operatorTypes.filter((type) => groupsByEvent(type).webhooks)

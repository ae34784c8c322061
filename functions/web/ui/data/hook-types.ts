import { HOOK_TYPES_OF_CUSTOMERS, HOOK_TYPES_OF_OPERATORS } from '../../../host/values/web-hook-types.ts'

/** The context that states an event, of those that web hooks can have. */
export type HookContext = keyof typeof HOOK_TYPES_OF_CUSTOMERS

export interface HookTypeGroup {
  context: HookContext
  types: readonly string[]
}

/** Returns the types of events that somebody's web hook can have, by context. */
export const hookTypesFor = (role: 'customer' | 'operator'): HookTypeGroup[] =>
  Object.entries(HOOK_TYPES_OF_CUSTOMERS).map(([context, types]) => ({
    context: context as HookContext,
    types: [
      ...types,
      ...(role === 'operator'
        ? ((HOOK_TYPES_OF_OPERATORS as Partial<Record<string, readonly string[]>>)[context] ?? [])
        : []),
    ],
  }))

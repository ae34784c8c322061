import type { Setting } from '../setting-values.ts'

/** The front door has no settings that others have not too. */
export const settings = {} as const satisfies Record<string, Setting<unknown>>

import { auditContexts, type AskedAudit } from '../../../data/audit.ts'
import { boundsOf, isDay } from '../../../parts/days.ts'

/** The filters of the page, which stand in its address. Days are inclusive. */
export const filterNames = ['caller', 'owner', 'subject', 'operation', 'context', 'from', 'to'] as const

export type AuditFilterName = (typeof filterNames)[number]
export type ShownAudit = Record<AuditFilterName, string>

/** Reads the filters from an address. */
export const readFilters = (search: URLSearchParams): ShownAudit =>
  Object.fromEntries(filterNames.map((name) => [name, search.get(name)?.trim() ?? ''])) as ShownAudit

/** Returns the address's part for filters; empty ones are left out. */
export const searchOf = (filters: Partial<ShownAudit>): URLSearchParams =>
  new URLSearchParams(
    filterNames.flatMap((name): [string, string][] => {
      const value = filters[name]?.trim()
      return value ? [[name, value]] : []
    }),
  )

/** Returns the filters as the bank takes them. It says itself what is wrong with an id. */
export function askedOf({ from, to, context, ...others }: ShownAudit): AskedAudit {
  const known = auditContexts.find((name) => name === context)
  return {
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== '')),
    ...(known && { context: known }),
    ...(isDay(from) && { from: boundsOf(from).begin.toISOString() }),
    ...(isDay(to) && { to: boundsOf(to).end.toISOString() }),
  }
}

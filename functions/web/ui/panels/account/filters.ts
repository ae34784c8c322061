import type { AskedEntries } from '../../data/entries.ts'
import { boundsOf, isDay } from '../../parts/days.ts'

/** The filters of the page, which stand in its address. Days are inclusive. */
export interface ShownFilters {
  type: '' | NonNullable<AskedEntries['type']>
  from: string
  to: string
  query: string
}

export const entryTypes = ['deposit', 'withdrawal', 'transfer', 'reversal'] as const

const NAMES = ['type', 'from', 'to', 'query'] as const

/** Reads the filters from an address. What is no filter is left out. */
export function readFilters(search: URLSearchParams): ShownFilters {
  const [type, from, to] = [search.get('type'), search.get('from'), search.get('to')]
  return {
    type: entryTypes.find((name) => name === type) ?? '',
    from: isDay(from) ? from : '',
    to: isDay(to) ? to : '',
    query: (search.get('query') ?? '').trim().slice(0, 200),
  }
}

/** Puts filters into an address, beside what else is in it. */
export function withFilters(search: URLSearchParams, filters: Partial<ShownFilters>): URLSearchParams {
  const next = new URLSearchParams(search)
  for (const name of NAMES) {
    const value = filters[name]?.trim()
    if (value) next.set(name, value)
    else next.delete(name)
  }
  return next
}

export const hasFilters = (filters: ShownFilters): boolean => NAMES.some((name) => filters[name] !== '')

/** Returns the filters as the bank takes them. */
export function askedOf({ type, from, to, query }: ShownFilters): AskedEntries {
  return {
    ...(type && { type }),
    ...(from && { from: boundsOf(from).begin.toISOString() }),
    ...(to && { to: boundsOf(to).end.toISOString() }),
    // The bank finds words, and refuses a query that has none.
    ...(/[\p{L}\p{N}]/u.test(query) && { query }),
  }
}

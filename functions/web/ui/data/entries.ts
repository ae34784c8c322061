import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Entry } from '../../client/index.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'

export type { Entry }

export interface AskedEntries {
  type?: Entry['transaction_type']
  /** Moments: from is inclusive, to is not. */
  from?: string
  to?: string
  /** Words of the description. */
  query?: string
}

/** Entries that a full page shows: all but its last, for which the entry before it is not known yet. */
const SHOWN = 50

/** The entries of an account that match, the newest first, page by page. A page may be short and yet not the
 * last. */
export const entriesQuery = (accountId: string, filters: AskedEntries) =>
  infiniteQueryOptions({
    queryKey: ['accounts', accountId, 'entries', filters],
    queryFn: ({ pageParam, signal }) =>
      api.get('/api/accounts/{id}/entries', {
        params: { id: accountId },
        query: { ...filters, limit: SHOWN + 1, ...(pageParam !== undefined && { cursor: pageParam }) },
        signal,
      }),
    ...byCursor,
    select: ({ pages }) => pages.flatMap(({ items }) => items),
    // Other entries of the account stay while those that match are read; never those of another account.
    placeholderData: (shown, before) => (before?.queryKey[1] === accountId ? shown : undefined),
  })

/** The last hundred entries, for the line of the balance. */
export const lineQuery = (accountId: string) =>
  queryOptions({
    queryKey: ['accounts', accountId, 'line'],
    queryFn: async ({ signal }) =>
      (
        await api.get('/api/accounts/{id}/entries', {
          params: { id: accountId },
          query: { limit: 100 },
          signal,
        })
      ).items,
  })

import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { Entry } from '../../client/index.ts'
import { api } from './api.ts'

export type { Entry }

export interface AskedEntries {
  type?: Entry['transaction_type']
  /** Moments: from is inclusive, to is not. */
  from?: string
  to?: string
  /** Words of the description. */
  query?: string
}

/** The entries of an account that match, the newest first, page by page. A page may be short and yet not the
 * last. */
export const entriesQuery = (accountId: string, filters: AskedEntries) =>
  infiniteQueryOptions({
    queryKey: ['accounts', accountId, 'entries', filters],
    queryFn: ({ pageParam, signal }) =>
      api.get('/api/accounts/{id}/entries', {
        params: { id: accountId },
        query: { ...filters, limit: 50, ...(pageParam !== undefined && { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap(({ items }) => items),
    placeholderData: keepPreviousData,
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

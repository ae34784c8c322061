import { infiniteQueryOptions } from '@tanstack/react-query'
import type { AuditEntry } from '../../client/index.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'

export type { AuditEntry }

export const auditContexts = ['identity', 'ledger', 'payments', 'notifications', 'documents'] as const

/** Which entries are wanted. Moments: from is inclusive, to is not. */
export interface AskedAudit {
  caller?: string
  owner?: string
  subject?: string
  operation?: string
  context?: AuditEntry['context']
  from?: string
  to?: string
}

/** Who did what, the newest first, page by page. A page may be short, even empty, and yet not the last. */
export const auditQuery = (asked: AskedAudit) =>
  infiniteQueryOptions({
    queryKey: ['audit', asked],
    queryFn: ({ pageParam, signal }) =>
      api.get('/api/audit', {
        query: { ...asked, limit: 50, ...(pageParam !== undefined && { cursor: pageParam }) },
        signal,
      }),
    ...byCursor,
    select: ({ pages }) => pages.flatMap(({ items }) => items),
    // Each reading is an entry of its own: a look at another window must not add one.
    refetchOnWindowFocus: false,
  })

/** The address of the same entries as CSV. */
export const auditFileAddress = (asked: AskedAudit): string =>
  `/api/audit?${String(new URLSearchParams({ ...asked, format: 'csv' }))}`

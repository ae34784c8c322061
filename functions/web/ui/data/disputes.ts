import { infiniteQueryOptions } from '@tanstack/react-query'
import type { TopUp, Withdrawal } from '../../client/index.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'
import { useOfficeAct } from './office-act.ts'

/** What the API calls them in its paths. */
export type TransferKind = 'top-ups' | 'withdrawals'
/** A top-up or withdrawal that an operator has to look at. */
export type Disputed = TopUp | Withdrawal
export type DisputeAction = Disputed['resolvable_by'][number]

/** The top-ups, or the withdrawals, that are disputed, the newest first, page by page. */
export const disputedQuery = (kind: TransferKind) =>
  infiniteQueryOptions({
    queryKey: ['disputes', kind],
    queryFn: ({ pageParam, signal }): Promise<{ items: Disputed[]; next_cursor: string | null }> =>
      api.get(`/api/payments/${kind}`, {
        query: { disputed: true, limit: 20, ...(pageParam !== undefined && { cursor: pageParam }) },
        signal,
      }),
    ...byCursor,
    select: ({ pages }) => pages.flatMap(({ items }) => items),
    // Each reading is in the audit.
    refetchOnWindowFocus: false,
  })

/** Ends the dispute of a top-up or withdrawal, with a reason. */
export const useResolve = (kind: TransferKind) =>
  useOfficeAct(
    ({ id, ...body }: { id: string; action: DisputeAction; reason: string; transaction_id?: string }, how) =>
      api.post(`/api/payments/${kind}/{id}/resolve`, { params: { id }, body, ...how }),
    ['disputes', 'needs'],
  )

import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { CreatePayoutRequest, Payout, PayoutItem } from '../../client/index.ts'
import { accountsQuery } from './accounts.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'
import { keptActs, type KeptAct } from './kept-act.ts'
import { ownOnly, useSentBy, useSession } from './session.ts'

export type { CreatePayoutRequest, Payout, PayoutItem }

/** While items are being paid, they are read again this often, in milliseconds. */
const RUNNING_MS = 1_000

/** The newest payouts of whoever is signed in. */
export const payoutsQuery = () =>
  queryOptions({
    queryKey: ['payouts'],
    queryFn: async ({ client, signal }) => {
      const query = { limit: 50, ...(await ownOnly(client)) }
      return (await api.get('/api/payments/payout', { query, signal })).items
    },
    refetchInterval: ({ state }) => state.data?.some(({ status }) => status === 'running') && RUNNING_MS,
  })

/** One payout with its items, page by page. */
export const payoutQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['payouts', id],
    queryFn: ({ pageParam, signal }) =>
      api.get('/api/payments/payout/{batch_id}/status', {
        params: { batch_id: id },
        query: { limit: 100, ...(pageParam !== undefined && { cursor: pageParam }) },
        signal,
      }),
    ...byCursor,
    refetchInterval: ({ state }) => state.data?.pages[0]?.status === 'running' && RUNNING_MS,
  })

/** A payout that was checked. */
export interface CheckedPayout extends KeptAct {
  body: CreatePayoutRequest
  currency: string
}

const kept = keptActs<CheckedPayout>('payout')

/** Returns the payout of a user that was sent from this tab and has no answer, also after a reload. */
export const unansweredPayout = kept.unanswered

/** Has payees paid. From before it is sent until there is an answer, the payout is kept for a reload. */
export function useCreatePayout() {
  const queries = useQueryClient()
  const { user_id: owner } = useSession()
  const headers = useSentBy()
  return useMutation({
    mutationFn: (payout: CheckedPayout) =>
      kept.send(owner, payout, () =>
        api.post('/api/payments/payout', { body: payout.body, idempotencyKey: payout.key, headers }),
      ),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['payouts'] })
      void queries.invalidateQueries(accountsQuery())
    },
  })
}

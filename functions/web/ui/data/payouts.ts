import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { CreatePayoutRequest, Payout, PayoutItem } from '../../client/index.ts'
import { accountsQuery } from './accounts.ts'
import { api } from './api.ts'
import { ownOnly, useSentBy } from './session.ts'

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
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor: cursor }) => cursor ?? undefined,
    refetchInterval: ({ state }) => state.data?.pages[0]?.status === 'running' && RUNNING_MS,
  })

/** Has payees paid. The key makes it one payout, however often it is sent. */
export function useCreatePayout() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  return useMutation({
    mutationFn: ({ body, key }: { body: CreatePayoutRequest; key: string }) =>
      api.post('/api/payments/payout', { body, idempotencyKey: key, headers }),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['payouts'] })
      void queries.invalidateQueries(accountsQuery())
    },
  })
}

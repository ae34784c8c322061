import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { CreatePayoutRequest, Payout, PayoutItem } from '../../client/index.ts'
import { accountsQuery } from './accounts.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'
import { browserShelf } from './desk.ts'
import { KEY_AGE_MS_MAX } from './money-order.ts'
import { isOutcomeOpen } from './open-outcome.ts'
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

/** A payout that was checked. The key belongs to the body for ever: whatever is lost, it is one payout. */
export interface CheckedPayout {
  key: string
  body: CreatePayoutRequest
  currency: string
  /** Milliseconds since 1970. */
  checkedAtMs: number
}

const shelf = browserShelf()
const shelfOf = (owner: string): string => `microbank.payout.${owner}`

/** Returns the payout of a user that was sent from this tab and has no answer, also after a reload. Once the
 * bank may have forgotten its key it is not sent again. */
export function unansweredPayout(owner: string): CheckedPayout | undefined {
  try {
    const payout = JSON.parse(shelf.getItem(shelfOf(owner)) ?? 'null') as CheckedPayout | null
    return payout && Date.now() - payout.checkedAtMs < KEY_AGE_MS_MAX ? payout : undefined
  } catch {
    return undefined
  }
}

/** Has payees paid. From before it is sent until there is an answer, the payout is kept for a reload. */
export function useCreatePayout() {
  const queries = useQueryClient()
  const { user_id: owner } = useSession()
  const headers = useSentBy()
  return useMutation({
    mutationFn: async (payout: CheckedPayout) => {
      const wasOpen = unansweredPayout(owner)?.key === payout.key
      shelf.setItem(shelfOf(owner), JSON.stringify(payout))
      const { body, key } = payout
      try {
        const made = await api.post('/api/payments/payout', { body, idempotencyKey: key, headers })
        shelf.removeItem(shelfOf(owner))
        return made
      } catch (error) {
        if (!isOutcomeOpen(error, wasOpen)) shelf.removeItem(shelfOf(owner))
        throw error
      }
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['payouts'] })
      void queries.invalidateQueries(accountsQuery())
    },
  })
}

import { queryOptions } from '@tanstack/react-query'
import type { DeadLetterGroupPage } from '../../client/index.ts'
import { api } from './api.ts'
import { AGAIN_MS } from './ledger.ts'

/** What in the bank may need an operator. Each is asked of the function that knows it at little cost: of the
 * newest, not of all that ever were. */

/** How many of the newest payments, payouts and transfers are looked at. */
export const NEWEST = 50

// Some of these are in the audit: a look at another window must not add an entry.
const calm = { refetchOnWindowFocus: false } as const

export const waitingLettersQuery = () =>
  queryOptions({
    ...calm,
    queryKey: ['dead-letters', 'needs'],
    queryFn: async ({ signal }) => {
      const found = { waiting: 0, groups: 0, cameBack: 0 }
      let cursor: string | null = null
      // Most often there is one page; the number of groups has an end.
      do {
        const query = { status: 'stored', limit: 200, ...(cursor !== null && { cursor }) } as const
        const page: DeadLetterGroupPage = await api.get('/api/dead-letters/groups', { query, signal })
        for (const { stored, came_back: cameBack } of page.items) {
          found.waiting += stored
          found.groups += 1
          found.cameBack += cameBack
        }
        cursor = page.next_cursor
      } while (cursor !== null)
      return found
    },
  })

/** Currencies in which nothing is posted at the moment; live while it is watched. */
export const haltedPostingsQuery = (isWatched: boolean) =>
  queryOptions({
    ...calm,
    queryKey: ['needs', 'halted'],
    refetchInterval: isWatched && AGAIN_MS,
    queryFn: async ({ signal }) => {
      const { items } = await api.get('/api/ledger/status', { signal })
      return {
        currencies: items.filter(({ status }) => status === 'stopped').map(({ currency }) => currency),
      }
    },
  })

/** Of the newest payments those that failed, and of the newest payouts those with refused items. */
export const failedPaymentsQuery = () =>
  queryOptions({
    ...calm,
    queryKey: ['needs', 'payments'],
    queryFn: async ({ signal }) => {
      const newest = { query: { limit: NEWEST }, signal }
      const [payments, payouts] = await Promise.all([
        api.get('/api/payments', newest),
        api.get('/api/payments/payout', newest),
      ])
      return {
        payments: payments.items.filter(({ status }) => status === 'failed').length,
        payouts: payouts.items.filter(({ counts }) => counts.refused > 0).length,
      }
    },
  })

/** Counts the top-ups and withdrawals that the bank and the provider see differently; of each kind the newest
 * alone. */
export const disputesQuery = () =>
  queryOptions({
    ...calm,
    queryKey: ['needs', 'disputes'],
    queryFn: async ({ signal }) => {
      const newest = { query: { disputed: true, limit: NEWEST }, signal }
      const [topUps, withdrawals] = await Promise.all([
        api.get('/api/payments/top-ups', newest),
        api.get('/api/payments/withdrawals', newest),
      ])
      return {
        count: topUps.items.length + withdrawals.items.length,
        hasMore: topUps.next_cursor !== null || withdrawals.next_cursor !== null,
      }
    },
  })

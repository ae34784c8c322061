import { queryOptions } from '@tanstack/react-query'
import type { Order } from '../../client/index.ts'
import { api } from './api.ts'

export type { Order }

/** The orders that are due next, at most five. */
export const nextOrdersQuery = () =>
  queryOptions({
    queryKey: ['orders', 'next'],
    queryFn: async ({ signal }) => {
      const { items } = await api.get('/api/orders', { query: { status: 'active', limit: 200 }, signal })
      const due = items.filter(({ next_due_at }) => next_due_at !== null)
      return due.sort((a, b) => a.next_due_at!.localeCompare(b.next_due_at!)).slice(0, 5)
    },
  })

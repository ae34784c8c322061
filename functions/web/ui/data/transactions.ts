import { queryOptions } from '@tanstack/react-query'
import type { DryRun, Entry, Notification, Transaction, TransactionDetail } from '../../client/index.ts'
import { api } from './api.ts'
import type { OrderBody } from './money-order.ts'
import { toldKey } from './notifications.ts'

export type { DryRun, Entry, Transaction, TransactionDetail }

export const transactionQuery = (id: string) =>
  queryOptions({
    queryKey: ['transactions', id],
    queryFn: ({ signal }) => api.get('/api/transactions/{id}', { params: { id }, signal }),
  })

/** What an order would cost and leave, or why it would be refused. Nothing is changed. */
export const dryRunQuery = (body: OrderBody) =>
  queryOptions({
    queryKey: ['dry-run', body],
    queryFn: ({ signal }) => api.post('/api/transactions/dry-run', { body, signal }),
    staleTime: 0,
  })

const TWICE_MS = 10 * 60_000

/** An earlier transaction that is like this order, of the last ten minutes; null if there is none. */
export const twinQuery = (body: OrderBody, reviewedAtMs: number) =>
  queryOptions({
    queryKey: ['transactions', 'twin', body, reviewedAtMs],
    queryFn: async ({ signal }) => {
      const { type, account_id, currency } = body
      const from = new Date(reviewedAtMs - TWICE_MS).toISOString()
      const query = { type, account_id, from, limit: 100, ...(currency && { currency }) }
      const { items } = await api.get('/api/transactions', { query, signal })
      return items.find((earlier) => isTwin(earlier, body)) ?? null
    },
  })

/** Whether a transaction moved, or will move, the same amount to the same payee. */
const isTwin = (earlier: Transaction, body: OrderBody): boolean =>
  earlier.status !== 'rejected' &&
  earlier.amount === body.amount &&
  earlier.to_account_id === ('to_account_id' in body ? body.to_account_id : null)

/** The entries of a transaction on one account of the reader. */
export const ownEntriesQuery = ({ id, timestamp }: Transaction, accountId: string) =>
  queryOptions({
    queryKey: ['entries', accountId, 'of', id],
    queryFn: async ({ signal }) => {
      const to = new Date(Date.parse(timestamp) + 1).toISOString()
      const query = { from: timestamp, to, limit: 200 }
      const { items } = await api.get('/api/accounts/{id}/entries', {
        params: { id: accountId },
        query,
        signal,
      })
      return items.filter((entry) => entry.transaction_id === id)
    },
  })

/** The notifications about a transaction, the oldest first. An operator sees those of its payer. */
export const toldQuery = ({ event_id: eventId }: Pick<TransactionDetail, 'event_id'>) =>
  queryOptions({
    queryKey: toldKey(eventId),
    queryFn: async ({ signal }): Promise<Notification[]> => {
      if (eventId === null) return []
      const params = { event_id: eventId }
      const query = { source: '/microbank/ledger' }
      return (await api.get('/api/notifications/by-event/{event_id}', { params, query, signal }))
        .notifications
    },
  })

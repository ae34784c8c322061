import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import type { CreateOrderRequest, Order, OrderPreview, OrderRun, Schedule } from '../../client/index.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'
import { keptActs, type KeptAct } from './kept-act.ts'
import { newKey } from './new-key.ts'
import { findPayee, OtherCurrencyError, type Payee } from './payees.ts'
import { ownOnly, useSentBy, useSession } from './session.ts'

export type { CreateOrderRequest, Order, OrderPreview, OrderRun, Payee, Schedule }

/** The orders of whoever is signed in that are due next, at most five. */
export const nextOrdersQuery = () =>
  queryOptions({
    queryKey: ['orders', 'next'],
    queryFn: async ({ client, signal }) => {
      const query = { status: 'active' as const, limit: 200, ...(await ownOnly(client)) }
      const { items } = await api.get('/api/orders', { query, signal })
      const due = items.filter(({ next_due_at }) => next_due_at !== null)
      return due.sort((a, b) => a.next_due_at!.localeCompare(b.next_due_at!)).slice(0, 5)
    },
  })

/** The orders of whoever is signed in, the newest first, page by page. */
export const ordersQuery = () =>
  infiniteQueryOptions({
    queryKey: ['orders', 'list'],
    queryFn: async ({ client, pageParam, signal }) => {
      const page = { limit: 50, ...(pageParam !== undefined && { cursor: pageParam }) }
      return api.get('/api/orders', { query: { ...page, ...(await ownOnly(client)) }, signal })
    },
    ...byCursor,
  })

/** The last runs of an order, with their outcomes. */
export const orderRunsQuery = (id: string) =>
  queryOptions({
    queryKey: ['orders', id, 'runs'],
    queryFn: async ({ signal }) =>
      (await api.get('/api/orders/{id}/runs', { params: { id }, query: { limit: 20 }, signal })).items,
  })

/** An order as it is shown before it is saved. */
export interface OrderDraft extends KeptAct {
  body: CreateOrderRequest
  payee: Payee
  preview: OrderPreview
}

/** What a person has entered for an order. */
export interface AskedOrder {
  accountId: string
  currency: string
  /** The number of an account, or an email address. */
  payee: string
  amount: string
  description: string
  schedule: Schedule
}

/** Finds the payee and the dates of an order. Nothing is stored. Rejects with an OtherCurrencyError if the
 * payee's account can't take the amount. */
export function useDraftOrder() {
  return useMutation({
    mutationFn: async ({ accountId, currency, payee, amount, description, schedule }: AskedOrder) => {
      const [found, preview] = await Promise.all([
        findPayee(payee, currency),
        api.post('/api/orders/preview', { body: { schedule } }),
      ])
      if (found.currency !== currency) throw new OtherCurrencyError(found.currency)
      const body = {
        ...{
          account_id: accountId,
          to_account_id: found.account_id,
          payee_name: found.name,
          amount,
          currency,
        },
        ...(description !== '' && { description }),
        schedule: preview.schedule,
      }
      return { key: newKey(), madeAtMs: Date.now(), body, payee: found, preview } satisfies OrderDraft
    },
  })
}

// `order` is the name of what /move sends.
const kept = keptActs('new-order')
export const isUnansweredOrder = kept.isUnanswered

/** Saves an order. Nothing is paid before it is due. */
export function useCreateOrder() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  const { user_id: owner } = useSession()
  return useMutation({
    mutationFn: ({ key, madeAtMs, body }: OrderDraft) =>
      kept.send(owner, { key, madeAtMs }, () =>
        api.post('/api/orders', { body, idempotencyKey: key, headers }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['orders'] }),
  })
}

/** Pauses, resumes or cancels an order. */
export function useChangeOrder() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  return useMutation({
    mutationFn: ({ id, to }: { id: string; to: 'active' | 'paused' | 'cancelled' }) =>
      to === 'cancelled'
        ? api.delete('/api/orders/{id}', { params: { id }, headers })
        : api.put('/api/orders/{id}/status', { params: { id }, body: { status: to }, headers }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['orders'] }),
  })
}

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { AccountChange, Api, OpenSession, User } from '../../client/index.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'
import { useOfficeAct } from './office-act.ts'
import { questionOf } from './question.ts'

export type { AccountChange, OpenSession, User }

/** Each reading is in the audit: a look at another window must not add one. */
const READ_ONCE = { refetchOnWindowFocus: false } as const

/** Those whom a text finds, or all, the newest first, page by page. */
export const customersQuery = (text: string) =>
  infiniteQueryOptions({
    queryKey: ['users', 'found', text],
    queryFn: ({ pageParam, signal }) =>
      api.get('/api/users', {
        query: { ...questionOf(text), limit: 25, ...(pageParam !== undefined && { cursor: pageParam }) },
        signal,
      }),
    ...byCursor,
    ...READ_ONCE,
  })

/** What a customer has, each list for itself, so that all can be asked for at once. Each shows the newest. */
export const customerQueries = (id: string) => ({
  accounts: queryOptions({
    queryKey: ['accounts', 'of', id],
    queryFn: async ({ signal }) =>
      (await api.get('/api/accounts', { query: { user_id: id, limit: 200 }, signal })).items,
    ...READ_ONCE,
  }),
  holds: queryOptions({
    queryKey: ['holds', 'of', id],
    queryFn: async ({ signal }) =>
      (await api.get('/api/holds', { query: { user_id: id, status: 'open', limit: 50 }, signal })).items,
    ...READ_ONCE,
  }),
  orders: queryOptions({
    queryKey: ['orders', 'of', id],
    queryFn: async ({ signal }) =>
      (await api.get('/api/orders', { query: { user_id: id, limit: 50 }, signal })).items,
    ...READ_ONCE,
  }),
  sessions: queryOptions({
    queryKey: ['sessions', 'of', id],
    queryFn: async ({ signal }) =>
      (await api.get('/api/sessions', { query: { user_id: id, limit: 50 }, signal })).items,
    ...READ_ONCE,
  }),
  documents: queryOptions({
    queryKey: ['documents', 'of', id],
    queryFn: async ({ signal }) =>
      (await api.get('/api/media', { query: { user_id: id, limit: 20 }, signal })).items,
    ...READ_ONCE,
  }),
  messages: queryOptions({
    queryKey: ['notifications', 'of', id],
    queryFn: async ({ signal }) =>
      (await api.get('/api/notifications', { query: { user_id: id, limit: 20 }, signal })).items,
    ...READ_ONCE,
  }),
})

type TakenBody<Name extends 'POST /api/users' | 'PATCH /api/users/{id}'> = Api[Name]['takes']['body']
export type MessageBody = Api['POST /api/notifications/send']['takes']['body']
export type OpeningBody = Api['POST /api/accounts']['takes']['body']

/** Enters a customer who is served at the counter. */
export const useEnterCustomer = () =>
  useOfficeAct(
    (body: TakenBody<'POST /api/users'>, how) => api.post('/api/users', { body, ...how }),
    ['users'],
  )

/** Changes the name or the address of a customer. */
export const useChangeCustomer = (id: string) =>
  useOfficeAct(
    (body: NonNullable<TakenBody<'PATCH /api/users/{id}'>>, { headers }) =>
      api.patch('/api/users/{id}', { params: { id }, body, headers }),
    ['users'],
  )

/** Opens an account for a customer. */
export const useOpenAccountFor = () =>
  useOfficeAct((body: OpeningBody, how) => api.post('/api/accounts', { body, ...how }), ['accounts'])

/** Sends a customer a message. */
export const useSendMessage = () =>
  useOfficeAct(
    (body: MessageBody, how) => api.post('/api/notifications/send', { body, ...how }),
    ['notifications'],
  )

/** Ends a session of a customer. */
export const useEndCustomerSession = () =>
  useOfficeAct(
    (id: string, { headers }) => api.delete('/api/sessions/{id}', { params: { id }, headers }),
    ['sessions'],
  )

/** What moves money, or changes what can be done with it. */
const MONEY = ['accounts', 'holds', 'orders', 'transactions', 'entries']

export type AccountAct = 'freeze' | 'unfreeze' | 'close'

/** Freezes, unfreezes or closes an account, with a reason. */
export const useActOnAccount = (id: string) =>
  useOfficeAct(
    ({ act, reason }: { act: AccountAct; reason: string }, how) =>
      api.post(`/api/accounts/{id}/${act}`, { params: { id }, body: { reason }, ...how }),
    MONEY,
  )

/** Sets how far below zero an account may go, with a reason. */
export const useSetOverdraft = (id: string) =>
  useOfficeAct(
    (body: { overdraft_limit: string; reason: string }, how) =>
      api.patch('/api/accounts/{id}', { params: { id }, body, ...how }),
    MONEY,
  )

/** Takes a transaction back, with a reason. That happens once, whatever the key. */
export const useReverse = () =>
  useOfficeAct(
    ({ id, reason }: { id: string; reason: string }, how) =>
      api.post('/api/transactions/{id}/reverse', { params: { id }, body: { reason }, ...how }),
    MONEY,
  )

/** Makes the money of a hold available again. */
export const useReleaseHold = () =>
  useOfficeAct(
    (id: string, how) => api.post('/api/holds/{id}/release', { params: { id }, body: {}, ...how }),
    MONEY,
  )

/** Pays the money of a hold, or less, to an account. A hold is captured once, whatever the key. */
export const useCaptureHold = () =>
  useOfficeAct(
    ({ id, ...body }: { id: string; to_account_id: string; amount: string }, how) =>
      api.post('/api/holds/{id}/capture', { params: { id }, body, ...how }),
    MONEY,
  )

/** The active orders that pay from or to an account, of whomever. */
export const ordersOfAccountQuery = (id: string) =>
  queryOptions({
    queryKey: ['orders', 'of-account', id],
    queryFn: ({ signal }) =>
      api.get('/api/orders', { query: { account_id: id, status: 'active', limit: 200 }, signal }),
    ...READ_ONCE,
  })

/** Who froze, unfroze or closed an account or changed its limit, and why, the newest first. */
export const accountChangesQuery = (id: string) =>
  queryOptions({
    queryKey: ['accounts', id, 'changes'],
    queryFn: async ({ signal }) =>
      (await api.get('/api/accounts/{id}/changes', { params: { id }, query: { limit: 50 }, signal })).items,
    ...READ_ONCE,
  })

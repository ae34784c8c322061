import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
  type QueryClient,
} from '@tanstack/react-query'
import type { Api, Notification, Preferences } from '../../client/index.ts'
import { api } from './api.ts'
import { byCursor } from './by-cursor.ts'
import { ownOnly, useSentBy } from './session.ts'

export type { Notification, Preferences }

/** Begins the keys of all that is read of notifications. */
export const notificationsKey = ['notifications'] as const

/** The query key of the notifications about one event. */
export const toldKey = (eventId: string | null) => [...notificationsKey, 'about', eventId] as const

/** The notifications of whoever is signed in, the newest first, page by page. */
export const notificationsQuery = () =>
  infiniteQueryOptions({
    queryKey: [...notificationsKey, 'list'],
    queryFn: async ({ client, pageParam, signal }) => {
      const page = { limit: 30, ...(pageParam !== undefined && { cursor: pageParam }) }
      return api.get('/api/notifications', { query: { ...page, ...(await ownOnly(client)) }, signal })
    },
    ...byCursor,
  })

const LATEST = 5

/** The newest notifications of whoever is signed in. */
export const latestQuery = () =>
  queryOptions({
    queryKey: [...notificationsKey, 'latest'],
    queryFn: async ({ client, signal }) => {
      const query = { limit: LATEST, ...(await ownOnly(client)) }
      return (await api.get('/api/notifications', { query, signal })).items
    },
  })

/** How many notifications are unread, for the bell. The stream keeps it true. */
export const unreadQuery = () =>
  queryOptions({
    queryKey: [...notificationsKey, 'unread'],
    queryFn: async ({ signal }) =>
      (await api.get('/api/notifications', { query: { limit: 1 }, signal })).unread_count,
    staleTime: Infinity,
  })

/** The first word of the keys of all that money in motion changes. */
const MONEY = new Set(['accounts', 'account', 'entries', 'transactions', 'transaction', 'holds', 'statement'])
/** More by the first word of an event's type. */
const MORE: Readonly<Record<string, string>> = { order: 'orders', payment: 'payments', payout: 'payouts' }

/** Puts a notification that has just come on top of the list, and has read again what it tells of. */
export function addNotification(queries: QueryClient, notification: Notification): void {
  queries.setQueryData(notificationsQuery().queryKey, (list) => {
    const [first, ...others] = list?.pages ?? []
    // A list that was read a moment ago may have it already.
    if (!list || !first || list.pages.some(({ items }) => items.some(({ id }) => id === notification.id)))
      return list
    return { ...list, pages: [{ ...first, items: [notification, ...first.items] }, ...others] }
  })
  queries.setQueryData(latestQuery().queryKey, (latest) =>
    latest && !latest.some(({ id }) => id === notification.id)
      ? [notification, ...latest].slice(0, LATEST)
      : latest,
  )
  const more = MORE[notification.event_type.split('.')[0]!]
  void queries.invalidateQueries(unreadQuery())
  void queries.invalidateQueries({ queryKey: toldKey(notification.event_id) })
  void queries.invalidateQueries({
    predicate: ({ queryKey: [word] }) => MONEY.has(String(word)) || (more !== undefined && word === more),
  })
}

/** Has everything read again that the stream would have told. */
export function forgetWhatIsOld(queries: QueryClient): void {
  void queries.invalidateQueries({
    predicate: ({ queryKey: [word] }) =>
      word === notificationsKey[0] || MONEY.has(String(word)) || Object.values(MORE).includes(String(word)),
  })
}

/** Marks the notifications from one back as read. */
export function useMarkRead() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  return useMutation({
    mutationFn: (upTo: string) => api.post('/api/notifications/read', { body: { up_to: upTo }, headers }),
    onSuccess: ({ unread_count: count }) => {
      queries.setQueryData(unreadQuery().queryKey, count)
      void queries.invalidateQueries(latestQuery())
      return queries.invalidateQueries({ queryKey: notificationsQuery().queryKey })
    },
  })
}

export const preferencesQuery = () =>
  queryOptions({
    queryKey: ['message-preferences'],
    queryFn: ({ signal }) => api.get('/api/notifications/preferences', { signal }),
  })

export type PreferencesBody = NonNullable<Api['PUT /api/notifications/preferences']['takes']['body']>

/** Chooses anew over which channels messages come. */
export function useSavePreferences() {
  const [queries, headers] = [useQueryClient(), useSentBy()]
  return useMutation({
    mutationFn: (body: PreferencesBody) => api.put('/api/notifications/preferences', { body, headers }),
    onSuccess: (saved) => queries.setQueryData(preferencesQuery().queryKey, saved),
  })
}

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { DeadLetter, DeadLetterGroup, DeadLetterRedrive } from '../../client/index.ts'
import { api } from './api.ts'
import type { HowToSend } from './keyed-act.ts'
import { useOfficeAct } from './office-act.ts'
import { byCursor } from './by-cursor.ts'

export type { DeadLetter, DeadLetterGroup, DeadLetterRedrive }
export type LetterStatus = DeadLetter['status']

/** Groups that have letters of a status, the newest first, page by page. */
export const deadLetterGroupsQuery = (status: LetterStatus) =>
  infiniteQueryOptions({
    queryKey: ['dead-letters', 'groups', status],
    queryFn: ({ pageParam: cursor, signal }) =>
      api.get('/api/dead-letters/groups', {
        query: { limit: 50, status, ...(cursor !== undefined && { cursor }) },
        signal,
      }),
    ...byCursor,
  })

/** Letters of a group, the newest first, page by page. */
export const deadLettersQuery = (group: string, status: LetterStatus) =>
  infiniteQueryOptions({
    queryKey: ['dead-letters', 'letters', group, status],
    queryFn: ({ pageParam: cursor, signal }) =>
      api.get('/api/dead-letters', {
        query: { limit: 20, group, status, ...(cursor !== undefined && { cursor }) },
        signal,
      }),
    ...byCursor,
    // Each reading is in the audit: a look at another window must not add one.
    refetchOnWindowFocus: false,
  })

const EVERY_MS = { running: 1_000, returning: 3_000 } as const
/** A consumer that fails again has failed for good half a minute later. */
const RETURNING_MS = 60_000

/** Returns how soon to look again, in milliseconds; false if nothing can change any more. */
export function lookAgainMs(redrives: readonly DeadLetterRedrive[], now: number): number | false {
  if (redrives.some(({ status }) => status === 'running')) return EVERY_MS.running
  const isFresh = ({ ended_at: end }: DeadLetterRedrive) =>
    end !== null && now - Date.parse(end) < RETURNING_MS
  return redrives.some(isFresh) && EVERY_MS.returning
}

/** The last redrives, live while one runs or its letters may come back. */
export const redrivesQuery = () =>
  queryOptions({
    queryKey: ['dead-letters', 'redrives'],
    queryFn: async ({ signal }) =>
      (await api.get('/api/dead-letter-redrives', { query: { limit: 5 }, signal })).items,
    refetchInterval: ({ state: { data = [] } }) => lookAgainMs(data, Date.now()),
  })

/** One redrive, which may be older than the last ones; live while it runs. */
export const redriveQuery = (id: string) =>
  queryOptions({
    queryKey: ['dead-letters', 'redrives', id],
    queryFn: ({ signal }) => api.get('/api/dead-letter-redrives/{id}', { params: { id }, signal }),
    refetchInterval: ({ state: { data } }) => data?.status === 'running' && EVERY_MS.running,
  })

/** Most letters that one redrive takes; of a larger group, the oldest. */
export const REDRIVEN_AT_ONCE = 10_000

/** What an operator can do with dead letters. */
export type LetterOrder =
  | { order: 'redrive'; id: string }
  | { order: 'discard'; id: string; reason: string }
  | { order: 'redrive-group'; group: string; perSecond: number }
  | { order: 'stop'; redrive: string }

function give(asked: LetterOrder, how: HowToSend): Promise<unknown> {
  switch (asked.order) {
    case 'redrive':
      return api.post('/api/dead-letters/{id}/redrive', { params: { id: asked.id }, ...how })
    case 'discard':
      return api.post('/api/dead-letters/{id}/discard', {
        params: { id: asked.id },
        body: { reason: asked.reason },
        ...how,
      })
    case 'redrive-group':
      return api.post('/api/dead-letter-redrives', {
        body: { group: asked.group, per_second: asked.perSecond },
        ...how,
      })
    case 'stop':
      return api.post('/api/dead-letter-redrives/{id}/stop', { params: { id: asked.redrive }, ...how })
  }
}

/** Does it, and reads again what it has changed. */
export const useLetterOrder = () => useOfficeAct(give, ['dead-letters'])

import { queryOptions } from '@tanstack/react-query'
import type { CaughtMail, CaughtMails } from '../../client/index.ts'
import { api } from './api.ts'

export type { CaughtMail, CaughtMails }

const AGAIN_MS = 5_000

/** The newest emails that the bank has caught, asked again every five seconds while somebody looks. */
export const mailsQuery = (isWatched: boolean) =>
  queryOptions({
    queryKey: ['platform', 'mails'],
    queryFn: ({ signal }) => api.get('/api/platform/mails', { signal }),
    refetchInterval: isWatched && AGAIN_MS,
  })

/** One caught email. It never changes. */
export const mailQuery = (id: string) =>
  queryOptions({
    queryKey: ['platform', 'mails', id],
    queryFn: ({ signal }) => api.get('/api/platform/mails/{id}', { params: { id }, signal }),
    staleTime: Infinity,
  })

import { queryOptions } from '@tanstack/react-query'
import type { Hop, Life, LifeStep } from '../../client/index.ts'
import { api } from './api.ts'

export type { Hop, Life, LifeStep }

/** How often a life that is not over is read again: quickly at first, and at last no more. A tab that nobody
 * sees reads nothing. */
const AGAIN = { soonMs: 1_000, soon: 30, laterMs: 10_000, most: 200 }

/** What became of a transaction; read again until it is complete. */
export const lifeQuery = (id: string) =>
  queryOptions({
    queryKey: ['transactions', id, 'life'],
    queryFn: ({ signal }) => api.get('/api/transactions/{id}/life', { params: { id }, signal }),
    refetchInterval: ({ state: { data, dataUpdateCount } }) => {
      if (data?.complete || dataUpdateCount > AGAIN.most) return false
      return dataUpdateCount < AGAIN.soon ? AGAIN.soonMs : AGAIN.laterMs
    },
  })

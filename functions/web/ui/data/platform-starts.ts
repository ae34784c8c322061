import { queryOptions } from '@tanstack/react-query'
import type { ColdStart, ColdStartHistogram, ColdStarts, FunctionLog, LogLine } from '../../client/index.ts'
import { api } from './api.ts'

export type { ColdStart, ColdStartHistogram, ColdStarts, FunctionLog, LogLine }

const AGAIN_MS = 5_000
/** Bare Node is measured within a second or two, if it can be. */
const ASKED_SOONER_MAX = 20

/** How functions started last. While somebody looks, it is asked again every five seconds, and sooner until
 * bare Node has been measured. */
export const coldStartsQuery = (isWatched: boolean) =>
  queryOptions({
    queryKey: ['platform', 'cold-starts'],
    queryFn: ({ signal }) => api.get('/api/platform/cold-starts', { signal }),
    refetchInterval: ({ state: { data, dataUpdateCount } }) => {
      if (!isWatched) return false
      const isMeasuring = data?.runtime === 'local' && data.bare_node_ms === null
      return isMeasuring && dataUpdateCount < ASKED_SOONER_MAX ? 500 : AGAIN_MS
    },
  })

/** The last lines that a function has logged, of `level` or above. */
export const functionLogQuery = (name: string, level: LogLine['level'], isWatched: boolean) =>
  queryOptions({
    queryKey: ['platform', 'logs', name, level],
    queryFn: ({ signal }) =>
      api.get('/api/platform/functions/{name}/logs', {
        params: { name },
        query: { level, limit: 50 },
        signal,
      }),
    refetchInterval: isWatched && AGAIN_MS,
  })

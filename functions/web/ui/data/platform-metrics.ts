import { queryOptions } from '@tanstack/react-query'
import type { AnsweredPanel, DashboardPicture, PanelSeries } from '../../client/index.ts'
import { api } from './api.ts'

export type { AnsweredPanel, DashboardPicture, PanelSeries }

const AGAIN_MS = 10_000

export const RANGES = ['15m', '1h', '6h', '24h'] as const

/** What of the metrics is shown. */
export interface ShownMetrics {
  dashboard: string
  range: (typeof RANGES)[number]
  /** Empty for all. */
  service: string
}

/** A dashboard with its answers, asked again every ten seconds while somebody looks. */
export const metricsQuery = ({ dashboard, range, service }: ShownMetrics, isWatched: boolean) =>
  queryOptions({
    queryKey: ['platform', 'metrics', dashboard, range, service],
    queryFn: ({ signal }) =>
      api.get('/api/platform/metrics', {
        query: { dashboard, range, ...(service && { service }) },
        signal,
      }),
    refetchInterval: isWatched && AGAIN_MS,
  })

import { queryOptions } from '@tanstack/react-query'
import type { DeliveredTrigger, Deliveries } from '../../client/index.ts'
import { api } from './api.ts'

export type { DeliveredTrigger, Deliveries }

const AGAIN_MS = 5_000

/** Brokers and Triggers, asked again every five seconds while somebody looks. */
export const deliveriesQuery = (isWatched: boolean) =>
  queryOptions({
    queryKey: ['platform', 'events'],
    queryFn: ({ signal }) => api.get('/api/platform/events', { signal }),
    refetchInterval: isWatched && AGAIN_MS,
  })

/** An event type of the bank, with an example. */
export interface CatalogueEvent {
  type: string
  context: string
  title: string
  summary: string
  example: unknown
}

/** What is read of the AsyncAPI document. */
interface EventsDocument {
  components: {
    messages: Record<
      string,
      { title: string; summary: string; tags: { name: string }[]; examples: { payload: unknown }[] }
    >
  }
}

/** All event types, by type. They change with a release only. */
export const catalogueQuery = () =>
  queryOptions({
    queryKey: ['event-types'],
    queryFn: async ({ signal }): Promise<CatalogueEvent[]> => {
      const document = (await api.get('/api/asyncapi.json', { signal })) as unknown as EventsDocument
      return Object.entries(document.components.messages).map(([type, message]) => ({
        type,
        context: message.tags[0]?.name ?? '',
        ...{ title: message.title, summary: message.summary, example: message.examples[0]?.payload },
      }))
    },
    staleTime: Infinity,
  })

import { queryOptions } from '@tanstack/react-query'
import type { EventDelivery, EventLife, Hop, Life, LifeStep } from '../../client/index.ts'
import { api } from './api.ts'
import { readAgainMs } from './read-again.ts'

export type { EventDelivery, EventLife, Hop, Life, LifeStep }

/** What became of a transaction; read again until it is complete, also after a call that failed. */
export const lifeQuery = (id: string) =>
  queryOptions({
    queryKey: ['transactions', id, 'life'],
    queryFn: ({ signal }) => api.get('/api/transactions/{id}/life', { params: { id }, signal }),
    refetchInterval: ({ state }) =>
      state.data?.complete ? false : readAgainMs(state.dataUpdateCount + state.errorUpdateCount),
  })

/** Whether the transaction itself is over: a message that is still to be sent takes nothing back. */
export const isDone = ({ steps }: Life): boolean =>
  steps.every(({ step, state }) => step === 'sent' || state !== 'waiting')

/** What became of an event; read again while it waits to be published or delivered. Ids are unique per
 * source; without one it is the ledger's. */
export const eventQuery = (id: string, source: string | null) =>
  queryOptions({
    queryKey: ['events', source, id],
    queryFn: ({ signal }) =>
      api.get('/api/events/{event_id}', {
        params: { event_id: id },
        ...(source !== null && { query: { source } }),
        signal,
      }),
    refetchInterval: ({ state: { data, dataUpdateCount, errorUpdateCount } }) =>
      data && isGoingOn(data) ? readAgainMs(dataUpdateCount + errorUpdateCount) : false,
  })

/** Whether an event waits to be published, or to be delivered once more. */
export const isGoingOn = ({ published, deliveries }: EventLife): boolean => {
  const last = new Map((deliveries ?? []).map((one) => [one.trigger, one]))
  return (
    published.state === 'waiting' || [...last.values()].some(({ next_attempt_at: next }) => next !== null)
  )
}

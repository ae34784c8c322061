/** An event as a handler states it. The other attributes follow from the contract. */
export interface EventDraft<Data> {
  /** Id of the thing that the event is about. */
  subject: string
  /** Events with the same key (account or user) belong together. */
  partitionkey: string
  data: Data
}

/** An event as stored in the outbox, ready to be published. `data` is JSON text and is sent as it is. */
export interface OutboxEvent {
  id: string
  type: string
  source: string
  subject: string
  /** RFC 3339 UTC. */
  time: string
  dataschema: string
  partitionkey: string
  traceparent: string | null
  data: string
  /** Further CloudEvents attributes. They are stored with the event, so every process that publishes it sends
   * them too. */
  extensions?: Readonly<Record<string, string>> | null
}

/** An event that is stored and not yet published. */
export interface PendingEvent extends OutboxEvent {
  /** Id of its row of `outbox_pending`. Events that were written together share one. */
  pendingId: string
}

/** Returns the id of the event that tells a fact which has an id of its own (a UUIDv7) and one event: the
 * same digits as version 8, as event_id_of() in eventing/sql makes it. Nothing has to be stored to give the
 * event the same id each time. */
export const eventIdOf = (factId: string): string => `${factId.slice(0, 14)}8${factId.slice(15)}`

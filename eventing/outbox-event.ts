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

/** Returns the id of the event that tells a fact, for a fact with one event. `factId` is a UUIDv7; the id of
 * the event has the same digits, but its version is 8. event_id_of() in eventing/sql makes the same one. So
 * the event has the same id each time, although nothing is stored for it. */
export const eventIdOf = (factId: string): string => `${factId.slice(0, 14)}8${factId.slice(15)}`

import type { EventMessage } from '../message.ts'
import type { DeadLetters } from './topology.ts'

/** A queue that events are taken from. */
export interface Lane {
  queue: string
  /** Most events that are handled at once. No more are held in memory. */
  parallelism: number
  /** Where its dead letters go; that may be this queue itself. A lane without it never makes dead letters. */
  deadLetters?: DeadLetters
}

/** What happens to an event after it was handled. */
export type Settlement =
  /** It is done and leaves the queue. */
  | { kind: 'done' }
  /** It goes back to the queue and comes again. */
  | { kind: 'return' }
  /** It leaves the queue once `event` (the event and what went wrong) is stored as a dead letter. */
  | { kind: 'dead-letter'; event: EventMessage }

/**
 * Handles one event and says what happens to it; rejecting means `return`. If `signal` is aborted, the event
 * no longer belongs to this consumer or the consumer is stopping: the handler makes no more attempts, but may
 * finish the one under way.
 */
export type Handler = (event: EventMessage, signal: AbortSignal) => Promise<Settlement>

export interface QueueConsumer {
  /** Takes no more events. Resolves when those under way are settled. */
  stop(): Promise<void>
}

/** What the Broker needs of a queue. Both transports keep an event until it is settled, even after kill
 * -9. */
export interface BrokerQueue {
  /**
   * Stores the event for every Trigger that wants it. Resolves when it is durable.
   * @throws QueueUnavailableError if the queue is away; any other error is a fault of the event or a defect
   */
  publish(event: EventMessage): Promise<void>
  /** Starts to take events. After an outage of the queue it resumes by itself. */
  consume(lane: Lane, handler: Handler): QueueConsumer
  /** Resolves with the number of events in each queue, including those that are being handled. Rejects while
   * the queue is away. There is no limit to the time that the answer takes. */
  backlogs(): Promise<Map<string, number>>
  /** Closes the connection; stop the consumers first. Events that are not settled come again. */
  close(): Promise<void>
}

/** Thrown if the queue is away or too slow: a repeat is worthwhile. */
export class QueueUnavailableError extends Error {}

/** Time that an event may wait to be stored, in ms. After it the sender is told to come again. */
export const PUBLISH_DEADLINE_MS = 5_000

/** Waits for `work`. Rejects with a QueueUnavailableError if it takes longer than `ms`. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new QueueUnavailableError(`${what} took too long`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

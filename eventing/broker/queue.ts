import type { EventMessage } from '../message.ts'
import type { DeadLetters } from './topology.ts'

/** A queue that events are taken from. */
export interface Lane {
  queue: string
  /** At most so many events are handled at once; no more are held in memory. */
  parallelism: number
  /** Where its dead letters go, which may be this queue itself; a lane that has none never dead-letters. */
  deadLetters?: DeadLetters
}

/** What becomes of an event after it was handled. */
export type Settlement =
  /** It is dealt with and leaves the queue. */
  | { kind: 'done' }
  /** It goes back to the queue and comes again. */
  | { kind: 'return' }
  /** It leaves the queue once this (the event and what went wrong) is stored among the dead letters. */
  | { kind: 'dead-letter'; event: EventMessage }

/**
 * Handles one event and says what becomes of it; rejecting means `return`. When `signal` is aborted the
 * event is no longer ours or the consumer stops: no more attempts, but one under way may be finished.
 */
export type Handler = (event: EventMessage, signal: AbortSignal) => Promise<Settlement>

export interface QueueConsumer {
  /** Takes no more events; resolves when those under way are settled. */
  stop(): Promise<void>
}

/** What the Broker needs of a queue. Both transports keep an event until it is settled, kill -9 included. */
export interface BrokerQueue {
  /**
   * Stores the event for every Trigger that wants it; resolves when that is durable.
   * @throws QueueUnavailableError where the queue is away; any other error is the event's or ours
   */
  publish(event: EventMessage): Promise<void>
  /** Starts to take events; goes on by itself after the queue was away. */
  consume(lane: Lane, handler: Handler): QueueConsumer
  /** Events in each queue, those being handled included. Rejects while the queue doesn't answer. */
  backlogs(): Promise<Map<string, number>>
  /** Closes the connection, after the consumers were stopped; what is not settled comes again. */
  close(): Promise<void>
}

/** The queue is away or too slow: worth a repeat. */
export class QueueUnavailableError extends Error {}

/** How long an event may wait to be stored before its sender is told to come again. */
export const PUBLISH_DEADLINE_MS = 5_000

/** Rejects with a QueueUnavailableError if `work` takes longer. */
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

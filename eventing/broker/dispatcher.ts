import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../monitoring/log.ts'
import { EventSender } from './attempt.ts'
import type { Destination, DeliveryOutcome } from './attempt.ts'
import type { DeliveryPolicy } from './delivery.ts'
import type { deliverySpans, DeliverySpan } from './delivery-spans.ts'
import type { EventMessage } from '../message.ts'
import type { BrokerMetrics } from './metrics.ts'
import type { BrokerQueue, QueueConsumer, Lane, Settlement } from './queue.ts'

/** A lane, and where and how its events are delivered. */
export interface DeliveryRoute extends Lane {
  /** Name for logs and metrics: the Trigger's, or whose dead letters these are. */
  name: string
  to: Destination
  policy: DeliveryPolicy
  /** True if the events are dead letters. Then `deadLetters` is this queue itself: an event whose sink fails
   * goes to its end. */
  isSink: boolean
}

/**
 * Longest time that an event is held without being settled, in ms. After 30 minutes (consumer_timeout)
 * RabbitMQ would take the event back and close the channel, and the retries would start again, for ever.
 */
const HOLD_MS_MAX = 25 * 60_000
/** How long a dead letter is held while its sink fails, and how long it then rests. All times are in ms. */
export interface Patience {
  triesMs: number
  pauseMs: number
  /** A shorter rest, for when too many dead letters are resting already. */
  shortMs: number
}
const PATIENCE: Patience = { triesMs: 60_000, pauseMs: 10 * 60_000, shortMs: 1_000 }
/** Most dead letters that are remembered as stuck. Above it the oldest are forgotten and are held for
 * `triesMs` again. */
const STUCK_MAX = 10_000

/**
 * Delivers the events of all routes. It keeps events that eventing-rabbitmq's dispatcher loses: a refused
 * event (400 and the like) becomes a dead letter, a dead letter stays until its sink has taken it, and an
 * event is acknowledged only after its reply or dead letter is stored.
 *
 * A dead letter has nowhere else to go. If its sink fails for a minute, it goes to the end of its own queue
 * and is logged and counted as stuck. From then on it gets one attempt every ten minutes. At most half of a
 * route's places are held by such rests, so that other events always get through.
 *
 * A failing event takes one place of its route while it waits for its next attempt. With parallelism 1 the
 * events behind it wait too, as in eventing-rabbitmq: that is the price of order. Retry-After is ignored, as
 * there: the Trigger states the pauses.
 */
export class Dispatcher {
  readonly #queue: BrokerQueue
  readonly #log: Log
  readonly #metrics: BrokerMetrics
  readonly #sender = new EventSender()
  readonly #consumers: QueueConsumer[]
  readonly #patience: Patience
  readonly #startSpan: ReturnType<typeof deliverySpans>
  /** Stuck dead letters, by source and id, oldest first. */
  readonly #stuck = new Set<string>()
  /** Number of resting dead letters, by route. */
  readonly #resting = new Map<DeliveryRoute, number>()
  readonly #delivered = new Map<string, number>()
  #stopped: Promise<void> | undefined

  constructor(
    queue: BrokerQueue,
    routes: readonly DeliveryRoute[],
    log: Log,
    metrics: BrokerMetrics,
    startSpan: ReturnType<typeof deliverySpans>,
    patience: Patience = PATIENCE,
  ) {
    this.#patience = patience
    this.#startSpan = startSpan
    this.#queue = queue
    this.#log = log
    this.#metrics = metrics
    this.#consumers = routes.map((route) =>
      queue.consume(route, (event, signal) => this.#deliver(route, event, signal)),
    )
  }

  /** Returns how many events the destination of a route has taken since the start. */
  deliveredBy(route: string): number {
    return this.#delivered.get(route) ?? 0
  }

  /** Takes no more events and waits for the deliveries under way. After the deadline it aborts them; their
   * events stay in their queues. */
  stop(deadlineMs: number): Promise<void> {
    return (this.#stopped ??= this.#stop(deadlineMs))
  }

  async #stop(deadlineMs: number): Promise<void> {
    const timer = setTimeout(() => this.#sender.close(), deadlineMs)
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()))
    clearTimeout(timer)
    this.#sender.close()
  }

  async #deliver(route: DeliveryRoute, event: EventMessage, signal: AbortSignal): Promise<Settlement> {
    // performance.now(), because the time of day may be set while an event is held.
    const startedAt = performance.now()
    for (let attempt = 1; ; attempt++) {
      const span = this.#startSpan(event, route.name, attempt)
      const outcome = await this.#attempt(route, event, span)
      const waitMs = this.#waitFor(route, attempt)
      const heldMs = performance.now() - startedAt + waitMs
      const isLast = route.isSink
        ? this.#isStuck(event) || heldMs > this.#patience.triesMs
        : isLost(route, outcome, attempt) || heldMs > HOLD_MS_MAX
      span.end(outcome, outcome.kind === 'accepted' || signal.aborted || isLast ? undefined : waitMs)
      if (outcome.kind === 'accepted') return this.#accept(route, event, outcome.reply)
      if (signal.aborted) return { kind: 'return' }
      if (isLast)
        return route.isSink
          ? this.#putBack(route, event, outcome, signal)
          : this.#deadLetter(route, event, outcome, attempt)
      const tried = { ...label(route, event, outcome), attempt, wait_ms: waitMs }
      this.#log.info('a delivery failed and will be tried again', tried)
      if (!(await slept(waitMs, signal))) return { kind: 'return' }
    }
  }

  async #attempt(
    route: DeliveryRoute,
    event: EventMessage,
    { traceparent }: DeliverySpan,
  ): Promise<DeliveryOutcome> {
    const startedAt = performance.now()
    const outcome = await this.#sender.send(event, route.to, route.policy.timeoutMs, traceparent)
    this.#metrics.delivered(route.name, outcome.status, (performance.now() - startedAt) / 1000)
    return outcome
  }

  /** Stores the reply before the event is acknowledged: a crash in between doubles the reply, but loses
   * nothing. */
  async #accept(
    route: DeliveryRoute,
    event: EventMessage,
    reply: EventMessage | undefined,
  ): Promise<Settlement> {
    if (reply) await this.#queue.publish(reply)
    if (route.isSink) this.#stuck.delete(keyOf(event))
    this.#delivered.set(route.name, this.deliveredBy(route.name) + 1)
    return { kind: 'done' }
  }

  #waitFor({ isSink, policy }: DeliveryRoute, attempt: number): number {
    const ms = policy.backoffMs(attempt)
    return isSink ? Math.min(ms, this.#patience.triesMs) : ms
  }

  #isStuck = (event: EventMessage): boolean => this.#stuck.has(keyOf(event))

  /** Puts an event at the end of its queue after a rest, so that the events behind it come first. */
  async #putBack(
    route: DeliveryRoute,
    event: EventMessage,
    outcome: DeliveryOutcome,
    signal: AbortSignal,
  ): Promise<Settlement> {
    if (!this.#isStuck(event)) {
      const { attributes } = event
      this.#log.error('a dead letter cannot be delivered; it stays in its queue and is tried again later', {
        ...label(route, event, outcome),
        queue: route.queue,
        attributes,
        data_bytes: event.data.length,
      })
      this.#metrics.stuck(route.name)
      this.#remember(event)
    }
    const resting = this.#resting.get(route) ?? 0
    const { pauseMs, shortMs } = this.#patience
    const ms = resting < Math.floor(route.parallelism / 2) ? pauseMs : shortMs
    this.#resting.set(route, resting + 1)
    const isOver = await slept(ms, signal)
    this.#resting.set(route, this.#resting.get(route)! - 1)
    return isOver ? { kind: 'dead-letter', event } : { kind: 'return' }
  }

  #remember(event: EventMessage): void {
    const [oldest] = this.#stuck
    if (this.#stuck.size >= STUCK_MAX) this.#stuck.delete(oldest!)
    this.#stuck.add(keyOf(event))
  }

  #deadLetter(
    route: DeliveryRoute,
    event: EventMessage,
    outcome: DeliveryOutcome,
    attempts: number,
  ): Settlement {
    this.#log.warn('an event could not be delivered and has become a dead letter', {
      ...label(route, event, outcome),
      attempts,
    })
    this.#metrics.deadLettered(route.name)
    const attributes = { ...event.attributes, ...errorAttributes(route.to, outcome) }
    return { kind: 'dead-letter', event: { attributes, data: event.data } }
  }
}

const isLost = ({ policy }: DeliveryRoute, outcome: DeliveryOutcome, attempt: number): boolean =>
  (outcome.kind === 'failed' && outcome.isFinal) || attempt > policy.retries

const keyOf = ({ attributes }: EventMessage): string => `${attributes.source} ${attributes.id}`

const label = (route: DeliveryRoute, { attributes }: EventMessage, outcome: DeliveryOutcome) => ({
  route: route.name,
  event_id: attributes.id,
  event_type: attributes.type,
  status: outcome.status,
  ...(outcome.kind === 'failed' && { reason: outcome.detail.toString().slice(0, 200) }),
})

/** Returns the attributes that Knative adds to a dead letter: where it could not be delivered, and why
 * (Knative's Broker data plane contract). */
function errorAttributes(to: Destination, outcome: DeliveryOutcome): Record<string, string> {
  const destination = new URL(to.url)
  if (to.host) destination.host = to.host
  if (to.host && !to.host.includes(':')) destination.port = ''
  const detail = outcome.kind === 'failed' ? outcome.detail : Buffer.alloc(0)
  return {
    knativeerrordest: destination.href,
    knativeerrorcode: String(outcome.status),
    ...(detail.length > 0 && { knativeerrordata: detail.toString('base64') }),
  }
}

/** Waits `ms`. Resolves with false if the signal ended the wait. */
const slept = (ms: number, signal: AbortSignal): Promise<boolean> =>
  pause(Math.min(ms, HOLD_MS_MAX), true, { signal }).catch(() => false)

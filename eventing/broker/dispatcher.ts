import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../monitoring/log.ts'
import { EventSender } from './attempt.ts'
import type { Destination, DeliveryOutcome } from './attempt.ts'
import type { DeliveryPolicy } from './delivery.ts'
import type { EventMessage } from '../message.ts'
import type { BrokerMetrics } from './metrics.ts'
import type { BrokerQueue, QueueConsumer, Lane, Settlement } from './queue.ts'

/** A lane with what its events are for. */
export interface DeliveryRoute extends Lane {
  /** For logs and metrics: the Trigger's name, or whose dead letters these are. */
  name: string
  to: Destination
  policy: DeliveryPolicy
  /** True where these are dead letters: `deadLetters` is their own queue then, at whose end they are put
   * again. */
  isSink: boolean
}

/**
 * The longest that an event is held without being settled. RabbitMQ takes an event back after 30 minutes
 * (consumer_timeout) and closes the channel, and its retries would begin again, for ever.
 */
const HOLD_MS_MAX = 25 * 60_000
/** How long a dead letter is held while its sink fails, and how long it rests where it keeps failing. */
export interface Patience {
  triesMs: number
  pauseMs: number
  /** A rest that is cut short, because too many rest already. */
  shortMs: number
}
const PATIENCE: Patience = { triesMs: 60_000, pauseMs: 10 * 60_000, shortMs: 1_000 }
/** Dead letters known to keep failing; beyond so many the oldest are forgotten and get their minute again. */
const STUCK_MAX = 10_000

/**
 * Delivers the events of all routes. Where it differs from eventing-rabbitmq's dispatcher it keeps an event
 * that the original loses: one that was refused (400 and the like) is a dead letter, a dead letter stays
 * until its sink has taken it, and an event is acknowledged only after what follows from it is stored.
 *
 * A dead letter has nowhere else to go. Where its sink fails for a minute it goes to the end of its own
 * queue, is logged and counted as stuck, and from then on gets one attempt at a time with ten minutes
 * between. At most half of a route's places are held by such pauses, so that others always get through.
 *
 * A failing event takes up one place of its route while it waits for the next attempt; with parallelism 1 the
 * events behind it wait too (as in the original, that is the price of order). Retry-After is not heeded, as
 * there: the pauses are those that the Trigger states.
 */
export class Dispatcher {
  readonly #queue: BrokerQueue
  readonly #log: Log
  readonly #metrics: BrokerMetrics
  readonly #sender = new EventSender()
  readonly #consumers: QueueConsumer[]
  readonly #patience: Patience
  /** Dead letters that their sink has failed to take for long, by source and id, oldest first. */
  readonly #stuck = new Set<string>()
  /** By route: how many of them are resting. */
  readonly #resting = new Map<DeliveryRoute, number>()
  #stopped: Promise<void> | undefined

  constructor(
    queue: BrokerQueue,
    routes: readonly DeliveryRoute[],
    log: Log,
    metrics: BrokerMetrics,
    patience: Patience = PATIENCE,
  ) {
    this.#patience = patience
    this.#queue = queue
    this.#log = log
    this.#metrics = metrics
    this.#consumers = routes.map((route) =>
      queue.consume(route, (event, signal) => this.#deliver(route, event, signal)),
    )
  }

  /** Takes no more events and waits for the deliveries under way; after the deadline they are broken off.
   * What is not settled then stays in its queue. */
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
    // Not the time of day, which may be set while an event is held.
    const startedAt = performance.now()
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(route, event)
      if (outcome.kind === 'accepted') return this.#accept(route, event, outcome.reply)
      if (signal.aborted) return { kind: 'return' }
      const waitMs = this.#waitFor(route, attempt)
      const heldMs = performance.now() - startedAt + waitMs
      if (route.isSink) {
        if (this.#isStuck(event) || heldMs > this.#patience.triesMs)
          return this.#putBack(route, event, outcome, signal)
      } else if (isLost(route, outcome, attempt) || heldMs > HOLD_MS_MAX)
        return this.#deadLetter(route, event, outcome, attempt)
      const tried = { ...label(route, event, outcome), attempt, wait_ms: waitMs }
      this.#log.info('a delivery failed and is tried again', tried)
      if (!(await slept(waitMs, signal))) return { kind: 'return' }
    }
  }

  async #attempt(route: DeliveryRoute, event: EventMessage): Promise<DeliveryOutcome> {
    const startedAt = performance.now()
    const outcome = await this.#sender.send(event, route.to, route.policy.timeoutMs)
    this.#metrics.delivered(route.name, outcome.status, (performance.now() - startedAt) / 1000)
    return outcome
  }

  /** The reply is stored before the event that it answers is acknowledged: a crash doubles it and loses
   * nothing. */
  async #accept(
    route: DeliveryRoute,
    event: EventMessage,
    reply: EventMessage | undefined,
  ): Promise<Settlement> {
    if (reply) await this.#queue.publish(reply)
    if (route.isSink) this.#stuck.delete(keyOf(event))
    return { kind: 'done' }
  }

  #waitFor({ isSink, policy }: DeliveryRoute, attempt: number): number {
    const ms = policy.backoffMs(attempt)
    return isSink ? Math.min(ms, this.#patience.triesMs) : ms
  }

  #isStuck = (event: EventMessage): boolean => this.#stuck.has(keyOf(event))

  /** To the end of its queue, after a pause: those behind it come first. */
  async #putBack(
    route: DeliveryRoute,
    event: EventMessage,
    outcome: DeliveryOutcome,
    signal: AbortSignal,
  ): Promise<Settlement> {
    if (!this.#isStuck(event)) {
      const { attributes } = event
      this.#log.error('a dead letter can not be delivered; it stays in its queue and is tried now and then', {
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
    this.#log.warn('an event could not be delivered and is a dead letter now', {
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

/** What Knative adds to a dead letter: where it could not be delivered, and why (its Broker's data plane
 * contract). */
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

/** Resolves with false where the pause was cut short. */
const slept = (ms: number, signal: AbortSignal): Promise<boolean> =>
  pause(Math.min(ms, HOLD_MS_MAX), true, { signal }).catch(() => false)

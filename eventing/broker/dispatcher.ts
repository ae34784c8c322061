import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../monitoring/log.ts'
import { EventSender } from './attempt.ts'
import type { Destination, Outcome } from './attempt.ts'
import type { DeliveryPolicy } from './delivery.ts'
import type { EventMessage } from '../message.ts'
import type { BrokerMetrics } from './metrics.ts'
import type { BrokerQueue, Consumer, Lane, Settlement } from './queue.ts'

/** A lane with what its events are for. */
export interface Route extends Lane {
  /** For logs and metrics: the Trigger's name, or whose dead letters these are. */
  name: string
  to: Destination
  policy: DeliveryPolicy
}

/**
 * The longest that an event is held without being settled. RabbitMQ takes an event back after 30 minutes
 * (consumer_timeout) and closes the channel, and its retries would begin again, for ever.
 */
const HOLD_MS_MAX = 25 * 60_000
/** Dead letters are tried for ever; this is the longest pause in between. */
const SINK_BACKOFF_MS_MAX = 60_000

/**
 * Delivers the events of all routes. Where it differs from eventing-rabbitmq's dispatcher it keeps an event that
 * the original loses: one that was refused (400 and the like) is a dead letter, a dead letter stays until its
 * sink has taken it, and an event is acknowledged only after what follows from it is stored.
 *
 * A failing event takes up one place of its route while it waits for the next attempt; with parallelism 1 the
 * events behind it wait too (as in the original, that is the price of order). Retry-After is not heeded, as there:
 * the pauses are those that the Trigger states.
 */
export class Dispatcher {
  readonly #queue: BrokerQueue
  readonly #log: Log
  readonly #metrics: BrokerMetrics
  readonly #sender = new EventSender()
  readonly #consumers: Consumer[]
  #stopped: Promise<void> | undefined

  constructor(queue: BrokerQueue, routes: readonly Route[], log: Log, metrics: BrokerMetrics) {
    this.#queue = queue
    this.#log = log
    this.#metrics = metrics
    this.#consumers = routes.map((route) =>
      queue.consume(route, (event, signal) => this.#deliver(route, event, signal)),
    )
  }

  /** Takes no more events and waits for the deliveries under way; after the deadline they are broken off. What
   * is not settled then stays in its queue. */
  stop(deadlineMs: number): Promise<void> {
    return (this.#stopped ??= this.#stop(deadlineMs))
  }

  async #stop(deadlineMs: number): Promise<void> {
    const timer = setTimeout(() => this.#sender.close(), deadlineMs)
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()))
    clearTimeout(timer)
    this.#sender.close()
  }

  async #deliver(route: Route, event: EventMessage, signal: AbortSignal): Promise<Settlement> {
    const startedAt = Date.now()
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(route, event)
      if (outcome.kind === 'accepted') return this.#accept(outcome.reply)
      if (signal.aborted) return { kind: 'return' }
      const waitMs = this.#waitFor(route, attempt)
      const isLate = Date.now() - startedAt + waitMs > HOLD_MS_MAX
      if (this.#isLost(route, outcome, attempt) || (isLate && route.deadLetters))
        return this.#deadLetter(route, event, outcome, attempt)
      this.#log.info('a delivery failed and is tried again', {
        ...label(route, event, outcome),
        attempt,
        wait_ms: waitMs,
      })
      if (isLate) return { kind: 'return' }
      if (!(await slept(waitMs, signal))) return { kind: 'return' }
    }
  }

  async #attempt(route: Route, event: EventMessage): Promise<Outcome> {
    const startedAt = performance.now()
    const outcome = await this.#sender.send(event, route.to, route.policy.timeoutMs)
    this.#metrics.delivered(route.name, outcome.status, (performance.now() - startedAt) / 1000)
    return outcome
  }

  /** The reply is stored before the event that it answers is acknowledged: a crash doubles it and loses nothing. */
  async #accept(reply: EventMessage | undefined): Promise<Settlement> {
    if (reply) await this.#queue.publish(reply)
    return { kind: 'done' }
  }

  /** A dead letter has nowhere else to go, so its sink is tried for ever. */
  #isLost({ deadLetters, policy }: Route, outcome: Outcome, attempt: number): boolean {
    if (!deadLetters) return false
    return (outcome.kind === 'failed' && outcome.isFinal) || attempt > policy.retries
  }

  #waitFor({ deadLetters, policy }: Route, attempt: number): number {
    const ms = policy.backoffMs(attempt)
    return deadLetters ? ms : Math.min(ms, SINK_BACKOFF_MS_MAX)
  }

  #deadLetter(route: Route, event: EventMessage, outcome: Outcome, attempts: number): Settlement {
    this.#log.warn('an event could not be delivered and is a dead letter now', {
      ...label(route, event, outcome),
      attempts,
    })
    this.#metrics.deadLettered(route.name)
    const attributes = { ...event.attributes, ...errorAttributes(route.to, outcome) }
    return { kind: 'dead-letter', event: { attributes, data: event.data } }
  }
}

const label = (route: Route, { attributes }: EventMessage, outcome: Outcome) => ({
  route: route.name,
  event_id: attributes.id,
  event_type: attributes.type,
  status: outcome.status,
  ...(outcome.kind === 'failed' && { reason: outcome.detail.toString().slice(0, 200) }),
})

/** What Knative adds to a dead letter: where it could not be delivered, and why (its Broker's data plane contract). */
function errorAttributes(to: Destination, outcome: Outcome): Record<string, string> {
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

import type { Log } from '../../monitoring/log.ts'
import { noTracer, type Tracer } from '../../monitoring/tracer.ts'
import type { Destination } from './attempt.ts'
import { deliveryPolicy } from './delivery.ts'
import { deliverySpans } from './delivery-spans.ts'
import { Dispatcher } from './dispatcher.ts'
import type { Patience, DeliveryRoute } from './dispatcher.ts'
import type { EventMessage } from '../message.ts'
import { createIngress } from './ingress.ts'
import type { RequestHandler } from './ingress.ts'
import type { BrokerManifests, EventDestination } from './manifests.ts'
import { noMetrics } from './metrics.ts'
import type { BrokerMetrics } from './metrics.ts'
import { openPostgresQueue } from './postgres.ts'
import { watchQueue, type QueueState } from './queue-watch.ts'
import { openRabbitmqQueue } from './rabbitmq.ts'
import { deadLettersOf, topologyOf } from './topology.ts'
import type { Topology, TriggerRoute } from './topology.ts'

export interface BrokerOptions {
  manifests: BrokerManifests
  /** URL of RabbitMQ, if there is one; else give `postgresUrl`, a database in which the role may create a
   * schema. */
  amqpUrl?: string
  /** Called whenever RabbitMQ can be reached but does not confirm an event, or can't be prepared. */
  onUnanswered?: (() => void) | undefined
  postgresUrl?: string
  /** Returns where a subscriber or dead letter sink can be reached. Throws if there is no such
   * destination. */
  resolve: (destination: EventDestination) => Destination
  log: Log
  /** Made by brokerMetrics(), once for all Brokers of the process. */
  metrics?: BrokerMetrics
  /** Gets a span for each attempt to deliver an event whose trace is sampled. */
  tracer?: Tracer
  /** How long a dead letter waits for a sink that fails. Tests shorten it. */
  patience?: Patience
}

export interface BrokerStatus {
  ready: boolean
  reason: string
  triggers: {
    name: string
    ready: boolean
    reason: string
    /** Number of events that wait or are being delivered; null while the queue is away or slow. */
    backlog: number | null
    /** Number of dead letters that wait for their sink. Triggers without a `delivery` share the Broker's. */
    deadLetters: number | null
    /** Number of events that its subscriber has taken since the Broker started. */
    delivered: number
  }[]
}

export interface Broker {
  /** The ingress: a request handler for a node:http server. */
  handler: RequestHandler
  /** Publishes an event without HTTP. Resolves when the event is stored. */
  publish: (event: EventMessage) => Promise<void>
  /** Asks the queue, so that `ready` is true now. */
  status: () => Promise<BrokerStatus>
  /** Stops delivering and waits up to `deadlineMs` for deliveries under way. The ingress still takes
   * events. */
  drain: (deadlineMs?: number) => Promise<void>
  /** Drains, then closes the queue. */
  stop: (deadlineMs?: number) => Promise<void>
}

const DRAIN_MS = 10_000
/** The Broker's dead letters belong to no Trigger, so no annotation states their parallelism. */
const SINK_PARALLELISM = 10

/**
 * Starts the data plane of a Broker: its ingress, its queue, and a dispatcher for every Trigger.
 * @throws Error if a manifest can't be used or the queue can't be reached
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { manifests, log, metrics = noMetrics } = options
  const topology = topologyOf(manifests)
  const unresolved = new Map<string, string>()
  const routes = routesOf(options, topology, unresolved)
  const queue = await openQueue(options, topology)
  const startSpan = deliverySpans(options.tracer ?? noTracer, options.amqpUrl ? 'rabbitmq' : 'postgresql')
  const dispatcher = new Dispatcher(queue, routes, log, metrics, startSpan, options.patience)
  const stateOf = watchQueue(queue)
  let stopped: Promise<void> | undefined
  const drain = (deadlineMs = DRAIN_MS): Promise<void> => dispatcher.stop(deadlineMs)
  return {
    handler: createIngress({ publish: (event) => queue.publish(event), log, metrics }),
    publish: (event) => queue.publish(event),
    status: async () => statusOf(await stateOf(), topology, unresolved, dispatcher),
    drain,
    stop: (deadlineMs) => (stopped ??= drain(deadlineMs).then(() => queue.close())),
  }
}

function openQueue(options: BrokerOptions, topology: Topology) {
  const { amqpUrl, onUnanswered, postgresUrl, manifests, log } = options
  if (amqpUrl) {
    const url = new URL(amqpUrl)
    if (manifests.config?.spec?.vhost) url.pathname = encodeURIComponent(manifests.config.spec.vhost)
    return openRabbitmqQueue({ url: url.href, topology, log, onUnanswered })
  }
  if (postgresUrl) return openPostgresQueue({ url: postgresUrl, topology, log })
  throw new Error('a Broker needs a queue: expected amqpUrl or postgresUrl')
}

/** Returns a route per Trigger, and one per dead letter queue that has a sink. A destination that can't be
 * resolved gets no route: its events stay in their queue until a start resolves it. */
function routesOf(
  options: BrokerOptions,
  topology: Topology,
  unresolved: Map<string, string>,
): DeliveryRoute[] {
  const brokers = options.manifests.broker.spec?.delivery
  const resolve = (name: string, to: EventDestination): Destination | undefined => {
    try {
      return options.resolve(to)
    } catch (error) {
      unresolved.set(name, (error as Error).message)
      options.log.error('the destination of a route is unknown; its events stay in their queue', {
        route: name,
        reason: (error as Error).message,
      })
      return undefined
    }
  }
  const routes: DeliveryRoute[] = []
  for (const { name, queue, parallelism, deadLetters, trigger } of topology.triggers) {
    const policy = deliveryPolicy(trigger.spec.delivery ?? brokers)
    const to = resolve(name, trigger.spec.subscriber)
    if (to) routes.push({ name, queue, parallelism, deadLetters, to, policy, isSink: false })
  }
  for (const deadLetters of deadLettersOf(topology)) {
    const { queue } = deadLetters
    const route = topology.triggers.find(
      (each) => each.trigger.spec.delivery && each.deadLetters.queue === queue,
    )
    const delivery = route ? route.trigger.spec.delivery : brokers
    if (!delivery?.deadLetterSink) continue
    const name = `${route?.name ?? topology.broker} dead letters`
    const to = resolve(name, delivery.deadLetterSink)
    const parallelism = route?.parallelism ?? SINK_PARALLELISM
    const policy = deliveryPolicy(delivery)
    if (to) routes.push({ name, queue, parallelism, deadLetters, to, policy, isSink: true })
  }
  return routes
}

function statusOf(
  { reason, backlogs }: QueueState,
  topology: Topology,
  unresolved: ReadonlyMap<string, string>,
  dispatcher: Dispatcher,
): BrokerStatus {
  const triggerStatus = ({ name, queue: own, deadLetters }: TriggerRoute) => {
    const why = reason || unresolved.get(name) || ''
    return {
      name,
      ready: !why,
      reason: why,
      backlog: backlogs?.get(own) ?? null,
      deadLetters: backlogs?.get(deadLetters.queue) ?? null,
      delivered: dispatcher.deliveredBy(name),
    }
  }
  return { ready: !reason, reason, triggers: topology.triggers.map(triggerStatus) }
}

import type { Log } from '../../../monitoring/log.ts'
import type { Tracer } from '../../../monitoring/tracer.ts'
import { startBroker, type Broker, type BrokerStatus } from '../../../eventing/broker/broker.ts'
import type { BrokerMetrics } from '../../../eventing/broker/metrics.ts'
import type { Destination } from '../../../eventing/broker/attempt.ts'
import type {
  BrokerManifest,
  BrokerManifests,
  EventDestination,
  RabbitmqBrokerConfigManifest,
  TriggerManifest,
} from '../../../eventing/broker/manifests.ts'
import { deadLettersOf, topologyOf, type Topology } from '../../../eventing/broker/topology.ts'
import type { Queue } from '../servers/backends.ts'
import { clusterHostOf } from '../gateway/hosts.ts'
import { field, wrong, type Resource } from '../manifests/resource.ts'
import type { Service } from '../serving/service.ts'
import { handOver } from './hand-over.ts'

/**
 * Returns the Brokers of the manifests, each with its config and Triggers. Throws if a Trigger names a Broker
 * that has no manifest.
 */
export function brokersOf(eventing: readonly Resource[]): BrokerManifests[] {
  const ofKind = (kind: string) => eventing.filter((resource) => resource.kind === kind)
  const brokers = ofKind('Broker')
  const names = brokers.map(({ metadata }) => metadata.name)
  for (const trigger of ofKind('Trigger')) {
    const broker = field(trigger, 'spec.broker')
    if (!names.includes(String(broker)))
      throw wrong(trigger, 'spec.broker', names.join(' or ') || 'a Broker', broker)
  }
  const triggers = ofKind('Trigger').map(({ document }) => document as unknown as TriggerManifest)
  return brokers.map((broker) => {
    const config = ofKind('RabbitmqBrokerConfig').find(
      ({ metadata }) => metadata.name === field(broker, 'spec.config.name'),
    )
    return {
      broker: broker.document as unknown as BrokerManifest,
      ...(config && { config: config.document as unknown as RabbitmqBrokerConfigManifest }),
      triggers: triggers.filter(({ spec }) => spec.broker === broker.metadata.name),
    }
  })
}

export interface Brokers {
  byName: Map<string, Broker>
  /** Where the events go that Services of this process consume. The lab stands in between there. */
  consumers: { service: string; to: Destination }[]
  status(): Promise<(BrokerStatus & { name: string })[]>
  /** Stops delivering. The Brokers still accept events. */
  drain(): Promise<void>
  stop(): Promise<void>
}

/** What the Brokers of this machine work with. */
export interface BrokersOptions {
  queue: Queue
  /** The Services that this process hosts, by name. */
  services: ReadonlyMap<string, Service>
  /** The port of the internal gateway, which knows every other destination. */
  gatewayPort: number
  metrics: BrokerMetrics
  tracer: Tracer
  log: Log
}

/** Starts the Brokers. They hand events over to Services, and send what is for others through the gateway. */
export async function startBrokers(
  manifests: readonly BrokerManifests[],
  options: BrokersOptions,
): Promise<Brokers> {
  const { queue, metrics, tracer, log } = options
  const byName = new Map<string, Broker>()
  const each = async <T>(work: (broker: Broker) => Promise<T>): Promise<T[]> =>
    Promise.all([...byName.values()].map(work))
  const consumers: Brokers['consumers'] = []
  const brokers: Brokers = {
    byName,
    consumers,
    status: () =>
      Promise.all([...byName].map(async ([name, broker]) => ({ name, ...(await broker.status()) }))),
    drain: async () => void (await each((broker) => broker.drain())),
    stop: async () => void (await each((broker) => broker.stop())),
  }
  try {
    for (const manifest of manifests) {
      const resolve = (destination: EventDestination) => {
        const to = destinationOf(destination, options)
        if (to.take) consumers.push({ service: destination.ref!.name, to })
        return to
      }
      const broker = await startBroker({
        ...{ manifests: manifest, resolve, metrics, tracer, log },
        ...transport(queue),
      })
      byName.set(manifest.broker.metadata.name, broker)
      if ('areOnDisk' in queue && queue.areOnDisk)
        await untilOnDisk(topologyOf(manifest), queue.areOnDisk, log)
    }
  } catch (error) {
    await brokers.stop()
    throw error
  }
  return brokers
}

const ON_DISK_MS_MAX = 10_000

/**
 * Waits until RabbitMQ has its quorum queues on disk. RabbitMQ confirms a new quorum queue, and events in it,
 * some seconds before the queue would survive a kill -9 of the node. So the bank opens only after that at its
 * first start. After 10 seconds it opens anyway, and the log says so.
 */
async function untilOnDisk(
  topology: Topology,
  areOnDisk: (queues: readonly string[]) => boolean,
  log: Log,
): Promise<void> {
  if (topology.queueType !== 'quorum') return
  const queues = [...topology.triggers, ...deadLettersOf(topology)].map(({ queue }) => queue)
  const deadline = performance.now() + ON_DISK_MS_MAX
  while (!areOnDisk(queues)) {
    if (performance.now() > deadline) return log.warn('RabbitMQ has not written its queues to disk yet')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function transport(queue: Queue) {
  return 'amqpUrl' in queue
    ? { amqpUrl: queue.amqpUrl, onUnanswered: queue.doubt }
    : { postgresUrl: queue.postgresUrl }
}

/**
 * Returns where a destination can be reached: a Service of this process by handing over, another one through
 * the gateway, with its cluster host name; any other URI as it is.
 */
function destinationOf(
  { ref, uri }: EventDestination,
  { services, gatewayPort }: BrokersOptions,
): Destination {
  if (!ref) {
    if (!uri) throw new Error('a destination needs a ref or a uri')
    return { url: uri }
  }
  const path = new URL(uri ?? '/', 'http://any').pathname
  const service = ref.kind === 'Service' ? services.get(ref.name) : undefined
  return {
    url: `http://127.0.0.1:${gatewayPort}${path}`,
    host: clusterHostOf(ref),
    ...(service && { take: handOver(service) }),
  }
}

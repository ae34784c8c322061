/** The parts of Knative's Broker, RabbitmqBrokerConfig and Trigger manifests that the data plane reads. */

export interface ManifestMetadata {
  name: string
  namespace?: string
  /** Set by a cluster; where it is missing a stable one follows from namespace, kind and name. */
  uid?: string
  annotations?: Record<string, string>
}

/** Where events are sent: a Service by reference, a plain URI, or a path (`uri`) on the Service. */
export interface EventDestination {
  ref?: { apiVersion?: string; kind: string; name: string; namespace?: string }
  uri?: string
}

/** Retries and dead letters. Durations are ISO 8601 (`PT0.2S`). A Trigger's replaces its Broker's whole. */
export interface Delivery {
  retry?: number
  backoffPolicy?: 'linear' | 'exponential'
  backoffDelay?: string
  timeout?: string
  deadLetterSink?: EventDestination
}

export interface BrokerManifest {
  kind: 'Broker'
  metadata: ManifestMetadata
  spec?: { config?: { name: string }; delivery?: Delivery }
}

export interface RabbitmqBrokerConfigManifest {
  kind: 'RabbitmqBrokerConfig'
  metadata: ManifestMetadata
  spec?: { queueType?: QueueType; vhost?: string }
}

export type QueueType = 'quorum' | 'classic'

export interface TriggerManifest {
  kind: 'Trigger'
  metadata: ManifestMetadata
  spec: {
    broker: string
    /** All attributes must be equal. The RabbitMQ Broker reads nothing else (`filters` is ignored there). */
    filter?: { attributes?: Record<string, string> }
    subscriber: EventDestination
    delivery?: Delivery
  }
}

export interface BrokerManifests {
  broker: BrokerManifest
  config?: RabbitmqBrokerConfigManifest
  /** Triggers of other Brokers may be among them; they are left out. */
  triggers: readonly TriggerManifest[]
}

const PARALLELISM = 'rabbitmq.eventing.knative.dev/parallelism'

/**
 * How many events of a Trigger are delivered at the same time: its annotation, 1..1000, default 1.
 * @throws Error that names the Trigger where the annotation is anything else
 */
export function parallelismOf(trigger: TriggerManifest): number {
  const text = trigger.metadata.annotations?.[PARALLELISM] ?? '1'
  const parallelism = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (parallelism < 1 || parallelism > 1000)
    throw new Error(`Trigger ${trigger.metadata.name}: ${PARALLELISM} must be "1" to "1000", it is "${text}"`)
  return parallelism
}

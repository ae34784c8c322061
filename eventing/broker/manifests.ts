/** The parts of Knative's Broker, RabbitmqBrokerConfig and Trigger manifests that the data plane reads. */

export interface ManifestMetadata {
  name: string
  namespace?: string
  /** Set by a cluster. If it is missing, a stable one follows from kind, namespace and name. */
  uid?: string
  annotations?: Record<string, string>
}

/** Where events are sent: a Service by reference, a URI, or a path (`uri`) on the Service. */
export interface EventDestination {
  ref?: { apiVersion?: string; kind: string; name: string; namespace?: string }
  uri?: string
}

/** Retries and dead letters. Durations are ISO 8601 (`PT0.2S`). A Trigger's `delivery` replaces its Broker's
 * as a whole. */
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
    /** All these attributes must be equal. The RabbitMQ Broker reads only this; it ignores `filters`. */
    filter?: { attributes?: Record<string, string> }
    subscriber: EventDestination
    delivery?: Delivery
  }
}

export interface BrokerManifests {
  broker: BrokerManifest
  config?: RabbitmqBrokerConfigManifest
  /** Triggers of other Brokers may be among them and are ignored. */
  triggers: readonly TriggerManifest[]
}

const PARALLELISM = 'rabbitmq.eventing.knative.dev/parallelism'

/**
 * Returns how many events of a Trigger are delivered at once: the value of its annotation, 1 to 1000, by
 * default 1.
 * @throws Error that names the Trigger, if the annotation has another value
 */
export function parallelismOf(trigger: TriggerManifest): number {
  const text = trigger.metadata.annotations?.[PARALLELISM] ?? '1'
  const parallelism = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (parallelism < 1 || parallelism > 1000)
    throw new Error(`Trigger ${trigger.metadata.name}: ${PARALLELISM} must be "1" to "1000", it is "${text}"`)
  return parallelism
}

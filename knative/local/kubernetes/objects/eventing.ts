import { clusterHostOf } from '../../gateway/hosts.ts'
import { NAMESPACE } from '../../manifests/manifests.ts'
import { field, type Resource } from '../../manifests/resource.ts'
import type { NamedBrokerStatus } from '../../status.ts'
import type { Condition, KubernetesObject } from '../object.ts'
import { TRUE, type Told } from './conditions.ts'
import type { Make } from './make.ts'

/** There are no OIDC identities here. Knative reports this condition as True then. */
const withoutIdentity = (reason: string): Condition => ({ type: 'OIDCIdentityCreated', ...TRUE, reason })

/**
 * A Broker with the conditions that eventing-rabbitmq 1.22 sets (pkg/reconciler/broker). It is ready only
 * while its queue answers. If the queue doesn't answer, the exchange can't be found, and the other conditions
 * stay as they were.
 */
export function brokerObject(resource: Resource, broker: NamedBrokerStatus, make: Make): KubernetesObject {
  const { sink, status } = deadLetters(resource)
  const conditions: Condition[] = [
    { type: 'ExchangeReady', ...exchange(broker) },
    { type: 'DLXReady', ...sink },
    { type: 'DeadLetterSinkReady', ...sink },
    { type: 'SecretReady', ...TRUE },
    { type: 'IngressReady', ...TRUE },
    { type: 'Addressable', ...TRUE },
    { type: 'DeadLetterSinkResolved', severity: 'Info', ...sink },
  ]
  const url = `http://${clusterHostOf({ kind: 'Broker', name: broker.name })}`
  return make.object(resource, conditions, { address: { name: 'http', url }, ...status })
}

function exchange({ name, ready, reason }: NamedBrokerStatus): Told {
  if (ready) return TRUE
  const message = `the exchange of Broker ${name} is not ready: ${reason}`
  return { status: 'False', reason: 'ExchangeFailure', message }
}

/** A Trigger. It is ready if its Broker is ready and its subscriber can be found. */
export function triggerObject(resource: Resource, broker: NamedBrokerStatus, make: Make): KubernetesObject {
  const { sink, status } = deadLetters(resource)
  const own = broker.triggers.find(({ name }) => name === resource.metadata.name)
  // While the Broker is not ready, Knative doesn't check whether the subscriber can be found.
  const unresolved = broker.ready && own?.ready === false
  const reason = "Unable to get the Subscriber's Addressable"
  const conditions: Condition[] = [
    withoutIdentity('authentication-oidc feature not yet supported for this Broker class'),
    { type: 'BrokerReady', ...exchange(broker) },
    { type: 'DependencyReady', ...TRUE },
    { type: 'DeadLetterSinkResolved', ...sink },
    { type: 'SubscriptionReady', ...(unresolved ? { status: 'Unknown' } : TRUE) },
    {
      type: 'SubscriberResolved',
      ...(unresolved ? { status: 'False', reason, message: own.reason } : TRUE),
    },
  ]
  const subscriberUri = unresolved ? undefined : uriOf(field(resource, 'spec.subscriber'))
  const labels = { ...resource.metadata.labels, 'eventing.knative.dev/broker': broker.name }
  return make.object({ ...resource, metadata: { ...resource.metadata, labels } }, conditions, {
    ...(subscriberUri && { subscriberUri }),
    ...status,
  })
}

export function pingSourceObject(resource: Resource, make: Make): KubernetesObject {
  const { name } = resource.metadata
  const sinkUri = uriOf(field(resource, 'spec.sink'))
  const conditions: Condition[] = [
    { type: 'SinkProvided', ...TRUE },
    { type: 'Deployed', ...TRUE },
    withoutIdentity('authentication-oidc feature disabled'),
  ]
  const source = `/apis/v1/namespaces/${NAMESPACE}/pingsources/${name}`
  return make.object(resource, conditions, {
    ...(sinkUri && { sinkUri }),
    ceAttributes: [{ type: 'dev.knative.sources.ping', source }],
  })
}

/**
 * An EventType in both versions that clients ask for: v1beta3 for kubectl, v1beta2 for kn. It is ready if its
 * Broker exists.
 */
export function eventTypeObjects(
  resource: Resource,
  brokers: readonly string[],
  make: Make,
): KubernetesObject[] {
  const exists: Told = brokers.includes(String(field(resource, 'spec.reference.name')))
    ? TRUE
    : {
        ...{ status: 'False', reason: 'ResourceDoesNotExist' },
        message: 'Resource in spec.reference does not exist',
      }
  const written = make.object(resource, [{ type: 'ReferenceExists', ...exists }], {})
  return written.apiVersion.endsWith('/v1beta3') ? [written] : [newer(written), written]
}

/**
 * Converts an EventType to v1beta3 as Eventing does (pkg/apis/eventing/v1beta2/eventtype_conversion.go): the
 * schema becomes "schemadata".
 */
function newer(object: KubernetesObject): KubernetesObject {
  const { type, source, schema, ...rest } = (object.spec ?? {}) as Record<string, string>
  const attributes = [
    ...['specversion', 'id'].map((name) => ({ name, required: true })),
    { name: 'type', required: true, value: type },
    { name: 'source', required: true, value: source },
    ...(schema ? [{ name: 'schemadata', required: false, value: schema }] : []),
  ]
  return { ...object, apiVersion: 'eventing.knative.dev/v1beta3', spec: { ...rest, attributes } }
}

/** The condition of the dead letter sink, and the status field with its URI. */
function deadLetters(resource: Resource): { sink: Told; status: object } {
  const deadLetterSinkUri = uriOf(field(resource, 'spec.delivery.deadLetterSink'))
  if (deadLetterSinkUri) return { sink: TRUE, status: { deadLetterSinkUri } }
  const message = 'No dead letter sink is configured.'
  return { sink: { ...TRUE, reason: 'DeadLetterSinkNotConfigured', message }, status: {} }
}

/**
 * The URI of a destination in the cluster: a Service or Broker by its host name there, with `uri` relative to
 * it.
 */
function uriOf(destination: unknown): string | undefined {
  const { ref, uri } = (destination ?? {}) as { ref?: { kind: string; name: string }; uri?: string }
  if (!ref) return uri
  return new URL(uri ?? '', `http://${clusterHostOf(ref)}`).href.replace(/(?<=\w)\/$/, '')
}

import { field, type Resource } from '../../resource.ts'
import { clusterHostOf } from '../../hosts.ts'
import { NAMESPACE } from '../../manifests.ts'
import type { RuntimeStatus } from '../../runtime.ts'
import type { Condition, KubernetesObject } from '../object.ts'
import type { Make } from './objects.ts'

type BrokerStatus = RuntimeStatus['brokers'][number]

/** What doesn't hold, and why. */
type Fault = Required<Pick<Condition, 'reason' | 'message'>> | undefined

const holds = (fault: Fault): Omit<Condition, 'type'> =>
  fault ? { status: 'False', ...fault } : { status: 'True' }

/** What the RabbitMQ Broker says where its exchange is gone: here, where the queue doesn't answer. */
const brokerFault = ({ name, ready, reason }: BrokerStatus): Fault =>
  ready
    ? undefined
    : { reason: 'ExchangeFailure', message: `the exchange of Broker ${name} is not ready: ${reason}` }

/** Nobody has an identity of OIDC here, which Knative calls fulfilled. */
const withoutIdentity = (reason: string): Condition => ({
  type: 'OIDCIdentityCreated',
  status: 'True',
  reason,
})

/** A Broker with the conditions that eventing-rabbitmq 1.22 gives it. Ready only while its queue answers. */
export function brokerObject(resource: Resource, broker: BrokerStatus, make: Make): KubernetesObject {
  const fault = brokerFault(broker)
  const conditions: Condition[] = [
    { type: 'Addressable', status: 'True' },
    { type: 'DLXReady', ...holds(fault) },
    { type: 'DeadLetterSinkReady', status: 'True' },
    { type: 'ExchangeReady', ...holds(fault) },
    { type: 'IngressReady', status: 'True' },
    { type: 'Ready', ...holds(fault) },
    { type: 'SecretReady', status: 'True' },
  ]
  if (field(resource, 'spec.delivery.deadLetterSink'))
    conditions.push({ type: 'DeadLetterSinkResolved', status: 'True' })
  const url = `http://${clusterHostOf({ kind: 'Broker', name: broker.name })}`
  return make.object(resource, conditions, {
    address: { name: 'http', url },
    ...deadLetterSink(resource),
  })
}

/** A Trigger: ready where its Broker is and its subscriber can be found. */
export function triggerObject(resource: Resource, broker: BrokerStatus, make: Make): KubernetesObject {
  const own = broker.triggers.find(({ name }) => name === resource.metadata.name)
  const brokers = brokerFault(broker)
  const subscribers: Fault =
    !brokers && own && !own.ready
      ? { reason: "Unable to get the Subscriber's URI", message: own.reason }
      : undefined
  const conditions: Condition[] = [
    { type: 'BrokerReady', ...holds(brokers) },
    { type: 'DeadLetterSinkResolved', status: 'True' },
    { type: 'DependencyReady', status: 'True' },
    withoutIdentity('authentication-oidc feature not yet supported for this Broker class'),
    { type: 'Ready', ...holds(brokers ?? subscribers) },
    { type: 'SubscriberResolved', ...holds(subscribers) },
    { type: 'SubscriptionReady', ...holds(brokers) },
  ]
  const subscriberUri = uriOf(field(resource, 'spec.subscriber'))
  return make.object(resource, conditions, {
    ...(subscriberUri && { subscriberUri }),
    ...deadLetterSink(resource),
  })
}

export function pingSourceObject(resource: Resource, make: Make): KubernetesObject {
  const { name } = resource.metadata
  const sinkUri = uriOf(field(resource, 'spec.sink'))
  const conditions = ['Deployed', 'Ready', 'SinkProvided'].map((type): Condition => ({
    type,
    status: 'True',
  }))
  const source = `/apis/v1/namespaces/${NAMESPACE}/pingsources/${name}`
  conditions.push(withoutIdentity('authentication-oidc feature disabled'))
  return make.object(resource, conditions, {
    ...(sinkUri && { sinkUri }),
    ceAttributes: [{ type: 'dev.knative.sources.ping', source }],
  })
}

/** An EventType, ready where the Broker is there that it belongs to. */
export function eventTypeObject(
  resource: Resource,
  brokers: readonly string[],
  make: Make,
): KubernetesObject {
  const name = String(field(resource, 'spec.reference.name'))
  const fault: Fault = brokers.includes(name)
    ? undefined
    : { reason: 'BrokerDoesNotExist', message: `there is no Broker ${name}` }
  const conditions: Condition[] = [
    { type: 'Ready', ...holds(fault) },
    { type: 'ReferenceExists', ...holds(fault) },
  ]
  return make.object(resource, conditions, {})
}

function deadLetterSink(resource: Resource): object {
  const deadLetterSinkUri = uriOf(field(resource, 'spec.delivery.deadLetterSink'))
  return deadLetterSinkUri ? { deadLetterSinkUri } : {}
}

/** Where a destination is found in the cluster: a Service or Broker by its name there, a URI relative to that. */
function uriOf(destination: unknown): string | undefined {
  const { ref, uri } = (destination ?? {}) as { ref?: { kind: string; name: string }; uri?: string }
  if (!ref) return uri
  return new URL(uri ?? '', `http://${clusterHostOf(ref)}`).href.replace(/(?<=\w)\/$/, '')
}

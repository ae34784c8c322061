import type { Manifests } from '../../manifests/manifests.ts'
import { field, type Resource } from '../../manifests/resource.ts'
import type { RuntimeStatus } from '../../status.ts'
import type { KubernetesObject, ReadObjects } from '../object.ts'
import { clusterObjects } from './cluster.ts'
import { brokerObject, eventTypeObjects, pingSourceObject, triggerObject } from './eventing.ts'
import { maker, type Make } from './make.ts'
import { servingObjects } from './serving.ts'

/**
 * Returns a function that reads the objects: each is its manifest with the status that Knative's controllers
 * would set, made from the runtime's present state. All objects exist since `startedAt`.
 */
export function createObjects(options: {
  manifests: Pick<Manifests, 'resources'>
  status: () => Promise<Pick<RuntimeStatus, 'services' | 'brokers'>>
  startedAt: Date
}): ReadObjects {
  const { resources } = options.manifests
  const make = maker(options.startedAt)
  return async () => {
    const { services, brokers } = await options.status()
    const ofManifests = resources.flatMap((resource) => objectsOf(resource, services, brokers, make))
    return [...clusterObjects(make), ...ofManifests]
  }
}

function objectsOf(
  resource: Resource,
  services: RuntimeStatus['services'],
  brokers: RuntimeStatus['brokers'],
  make: Make,
): KubernetesObject[] {
  const named = <Item extends { name: string }>(items: readonly Item[], name: unknown): Item[] =>
    items.filter((item) => item.name === name)
  const { name } = resource.metadata
  switch (`${resource.apiVersion.split('/')[0]} ${resource.kind}`) {
    case 'serving.knative.dev Service':
      return named(services, name).flatMap((status) => servingObjects(resource, status, make))
    case 'eventing.knative.dev Broker':
      return named(brokers, name).map((status) => brokerObject(resource, status, make))
    case 'eventing.knative.dev Trigger':
      return named(brokers, field(resource, 'spec.broker')).map((status) =>
        triggerObject(resource, status, make),
      )
    case 'eventing.knative.dev EventType':
      return eventTypeObjects(
        resource,
        brokers.map((broker) => broker.name),
        make,
      )
    case 'eventing.knative.dev RabbitmqBrokerConfig':
      return [make.object(resource, [], {})]
    case 'sources.knative.dev PingSource':
      return [pingSourceObject(resource, make)]
    default:
      return []
  }
}

import { uidOf } from '../../../../eventing/broker/topology.ts'
import { NAMESPACE, type Manifests } from '../../manifests/manifests.ts'
import { field, type Resource } from '../../manifests/resource.ts'
import type { RuntimeStatus } from '../../runtime.ts'
import { seconds, type Condition, type KubernetesObject, type Metadata, type ReadObjects } from '../object.ts'
import { clusterObjects } from './cluster.ts'
import { readyOf, type Told } from './conditions.ts'
import { brokerObject, eventTypeObjects, pingSourceObject, triggerObject } from './eventing.ts'
import { servingObjects } from './serving.ts'
import { createTransitions } from './transitions.ts'

/** How the objects of one run are made. */
export interface Make {
  metadata(kind: string, resource: Pick<Resource, 'metadata'>, owner?: object): Metadata
  /** All conditions of an object, each with its moment. @param ready where it doesn't follow from the others */
  conditions(uid: string, others: readonly Condition[], ready?: Told): Condition[]
  /** The object that a manifest asks for, with its status. Without conditions it has none. */
  object(resource: Resource, conditions: readonly Condition[], status: object): KubernetesObject
}

/** Says what there is: each object as its manifest has it, with the status that Knative's controllers would give it,
 * from the state that the runtime is in at that moment. They exist since the runtime has been running. */
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

function maker(startedAt: Date): Make {
  const since = createTransitions(startedAt)
  const metadata: Make['metadata'] = (kind, { metadata: { name, labels, annotations } }, owner) => ({
    name,
    namespace: NAMESPACE,
    uid: uidOf(kind, { namespace: NAMESPACE, name }),
    generation: 1,
    creationTimestamp: seconds(startedAt),
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
    ...(owner && { ownerReferences: [owner] }),
  })
  const conditions: Make['conditions'] = (uid, others, ready = readyOf(others)) =>
    since(uid, [...others, { type: 'Ready', ...ready }])
  return {
    metadata,
    conditions,
    object(resource, others, status) {
      const { apiVersion, kind, document } = resource
      const about = metadata(kind, resource)
      const told = { observedGeneration: 1, conditions: conditions(about.uid, others), ...status }
      return {
        apiVersion,
        kind,
        metadata: about,
        spec: document.spec,
        ...(others.length > 0 && { status: told }),
      }
    },
  }
}

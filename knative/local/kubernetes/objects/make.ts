import { NAMESPACE } from '../../manifests/manifests.ts'
import { uidOf } from '../../../../eventing/broker/topology.ts'
import type { Resource } from '../../manifests/resource.ts'
import { type Metadata, type Condition, type KubernetesObject, seconds } from '../object.ts'
import { readyOf, type Told } from './conditions.ts'
import { createTransitions } from './transitions.ts'

/** Makes the objects of one run. */
export interface Make {
  metadata(kind: string, resource: Pick<Resource, 'metadata'>, owner?: object): Metadata
  /**
   * All conditions of an object, each with its time.
   * @param ready the Ready condition, if it doesn't follow from the others
   */
  conditions(uid: string, others: readonly Condition[], ready?: Told): Condition[]
  /** The object of a manifest with its status. Without conditions it has no status. */
  object(resource: Resource, conditions: readonly Condition[], status: object): KubernetesObject
}

export function maker(startedAt: Date): Make {
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

/**
 * An object of the Kubernetes API in its present state, without the `resourceVersion`, which the store adds.
 */
export interface KubernetesObject {
  apiVersion: string
  kind: string
  metadata: Metadata
  spec?: unknown
  status?: Status
}

export interface Metadata {
  name: string
  namespace?: string
  uid: string
  generation?: number
  /** RFC 3339, in UTC, with whole seconds. */
  creationTimestamp: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: readonly object[]
}

export interface Status {
  conditions?: readonly Condition[]
  [field: string]: unknown
}

/** What Knative's controllers say about an object, in their words. */
export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  /** Info: only information; Ready doesn't depend on it. */
  severity?: 'Info'
  reason?: string
  message?: string
  /** Since when the status has its value: RFC 3339, in UTC. */
  lastTransitionTime?: string
}

/** Returns all objects in their present state. */
export type ReadObjects = () => Promise<KubernetesObject[]>

export const conditionOf = ({ status }: KubernetesObject, type: string): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type)

/** A time in RFC 3339 with whole seconds, the only form that Kubernetes writes. */
export const seconds = (moment: Date): string => `${moment.toISOString().slice(0, 19)}Z`

/** One object of the Kubernetes API as it is at this moment, without the `resourceVersion`, which the store
 * gives it. */
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
  /** RFC 3339 UTC, whole seconds. */
  creationTimestamp: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: readonly object[]
}

export interface Status {
  conditions?: readonly Condition[]
  [field: string]: unknown
}

/** What Knative's controllers say of an object, in their words. */
export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  /** Info: says something, and Ready doesn't depend on it. */
  severity?: 'Info'
  reason?: string
  message?: string
  /** RFC 3339 UTC; since when the status is what it is. */
  lastTransitionTime?: string
}

/** Everything that there is at this moment. */
export type ReadObjects = () => Promise<KubernetesObject[]>

export const conditionOf = ({ status }: KubernetesObject, type: string): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type)

/** RFC 3339 with whole seconds, the only form in which Kubernetes writes a moment. */
export const seconds = (moment: Date): string => `${moment.toISOString().slice(0, 19)}Z`

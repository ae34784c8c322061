import { conditionOf, type KubernetesObject } from './object.ts'

/** A kind that is served here, as its CustomResourceDefinition declares it. */
export interface ResourceType {
  /** Empty for the core group. */
  group: string
  version: string
  kind: string
  plural: string
  singular: string
  shortNames: readonly string[]
  categories: readonly string[]
  isNamespaced: boolean
  /** The columns that `kubectl get` prints after the name. */
  columns: readonly Column[]
}

export interface Column {
  name: string
  type: 'string' | 'integer' | 'date'
  /** If above 0, the column is printed only with `-o wide`. */
  priority?: number
  value: (object: KubernetesObject) => unknown
}

/** `group/version` as in an object's apiVersion. */
export const apiVersionOf = ({ group, version }: Pick<ResourceType, 'group' | 'version'>): string =>
  group ? `${group}/${version}` : version

/** The value at a dotted path; undefined if there is none. */
const at = (object: KubernetesObject, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object)

const text = (name: string, path: string): Column => ({ name, type: 'string', value: (o) => at(o, path) })
const integer = (name: string, path: string): Column => ({ ...text(name, path), type: 'integer' })
const label = (name: string, key: string): Column => ({
  ...{ name, type: 'string' },
  value: ({ metadata }) => metadata.labels?.[key],
})
const attribute = (column: string, name: string): Column => ({
  ...{ name: column, type: 'string' },
  value: (o) =>
    (at(o, 'spec.attributes') as Record<string, string>[] | undefined)?.find((known) => known.name === name)
      ?.value,
})
const AGE: Column = { ...text('Age', 'metadata.creationTimestamp'), type: 'date' }
const READY: readonly Column[] = [
  { name: 'Ready', type: 'string', value: (object) => conditionOf(object, 'Ready')?.status },
  { name: 'Reason', type: 'string', value: (object) => conditionOf(object, 'Ready')?.reason },
]
const CLASS: Column = {
  ...{ name: 'Class', type: 'string', priority: 1 },
  value: ({ metadata }) => metadata.annotations?.['eventing.knative.dev/broker.class'],
}

function custom(
  apiVersion: string,
  category: string,
  kind: string,
  columns: readonly Column[],
  shortNames: readonly string[] = [],
): ResourceType {
  const [group, version] = apiVersion.split('/') as [string, string]
  const singular = kind.toLowerCase()
  return {
    ...{ group, version, kind, singular, plural: `${singular}s`, shortNames, columns },
    categories: ['all', 'knative', category],
    isNamespaced: true,
  }
}

const SERVING = 'serving.knative.dev/v1'
const LATEST = [
  text('LatestCreated', 'status.latestCreatedRevisionName'),
  text('LatestReady', 'status.latestReadyRevisionName'),
]
const URL = text('URL', 'status.url')
const EVENT_TYPE = [
  text('Reference Name', 'spec.reference.name'),
  text('Reference Kind', 'spec.reference.kind'),
  text('Description', 'spec.description'),
  ...READY,
]

/**
 * All kinds that are served. Columns and names are those of Serving 1.23, Eventing 1.22 and eventing-rabbitmq
 * 1.22.
 */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  {
    ...{ group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', singular: 'namespace' },
    ...{ shortNames: ['ns'], categories: [], isNamespaced: false },
    columns: [text('Status', 'status.phase'), AGE],
  },
  // There are never any Events, but `kubectl describe` asks for them.
  {
    ...{ group: '', version: 'v1', kind: 'Event', plural: 'events', singular: 'event' },
    ...{ shortNames: ['ev'], categories: [], isNamespaced: true, columns: [] },
  },
  {
    ...{ group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' },
    ...{ plural: 'customresourcedefinitions', singular: 'customresourcedefinition', isNamespaced: false },
    ...{ shortNames: ['crd', 'crds'], categories: ['api-extensions'] },
    columns: [text('Created At', 'metadata.creationTimestamp')],
  },
  custom(SERVING, 'serving', 'Service', [URL, ...LATEST, ...READY], ['kservice', 'ksvc']),
  custom(SERVING, 'serving', 'Configuration', [...LATEST, ...READY], ['config', 'cfg']),
  custom(SERVING, 'serving', 'Route', [URL, ...READY], ['rt']),
  custom(
    ...([SERVING, 'serving', 'Revision'] as const),
    [
      label('Config Name', 'serving.knative.dev/configuration'),
      label('Generation', 'serving.knative.dev/configurationGeneration'),
      ...READY,
      integer('Actual Replicas', 'status.actualReplicas'),
      integer('Desired Replicas', 'status.desiredReplicas'),
    ],
    ['rev'],
  ),
  custom('eventing.knative.dev/v1', 'eventing', 'Broker', [
    ...[text('URL', 'status.address.url'), AGE, ...READY, CLASS],
  ]),
  custom('eventing.knative.dev/v1', 'eventing', 'Trigger', [
    ...[text('Broker', 'spec.broker'), text('Subscriber_URI', 'status.subscriberUri'), AGE, ...READY],
  ]),
  // kubectl uses the first version of a kind that it finds, so this one is first.
  custom('eventing.knative.dev/v1beta3', 'eventing', 'EventType', [
    ...[attribute('Type', 'type'), attribute('Source', 'source'), ...EVENT_TYPE],
  ]),
  custom('eventing.knative.dev/v1beta2', 'eventing', 'EventType', [
    ...[
      text('Type', 'spec.type'),
      text('Source', 'spec.source'),
      text('Schema', 'spec.schema'),
      ...EVENT_TYPE,
    ],
  ]),
  custom('eventing.knative.dev/v1alpha1', 'eventing', 'RabbitmqBrokerConfig', [AGE], ['rmqbrokerconfig']),
  custom('sources.knative.dev/v1', 'sources', 'PingSource', [
    ...[text('Sink', 'status.sinkUri'), text('Schedule', 'spec.schedule'), AGE, ...READY],
  ]),
]

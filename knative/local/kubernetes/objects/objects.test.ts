import { readResource } from '../../manifests/resource.ts'
import type { RuntimeStatus } from '../../status.ts'
import { conditionOf, type KubernetesObject } from '../object.ts'
import { createObjects } from './objects.ts'

type Service = RuntimeStatus['services'][number]
type Broker = RuntimeStatus['brokers'][number]

const service = (status: Partial<Service> = {}): Service => ({
  ...{ name: 'loan', url: 'http://loan', clusterLocal: false, ready: true, reason: '', initialized: true },
  ...{ processes: 0, starting: 0, wanted: 0, minScale: 0, maxScale: 10, inFlight: 0, held: 0 },
  ...{ coldStarts: 0, lastColdStart: undefined },
  ...status,
})

const trigger = (ready = true, reason = '') => ({
  name: 'loan',
  ready,
  reason,
  backlog: 0,
  deadLetters: 0,
  delivered: 0,
})
const broker = (status: Partial<Broker> = {}): Broker => ({
  ...{ name: 'default', ready: true, reason: '', triggers: [trigger()] },
  ...status,
})

const LOAN = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'loan', labels: { 'networking.knative.dev/visibility': 'cluster-local' } },
  spec: { template: { spec: { containers: [{ args: ['loan'] }] } } },
}

const eventing = (kind: string, name: string, spec: object) => ({
  ...{ apiVersion: `eventing.knative.dev/${kind === 'EventType' ? 'v1beta2' : 'v1'}`, kind },
  ...{ metadata: { name }, spec },
})
const DEAD_LETTERS = { ref: { kind: 'Service', name: 'dead-letters' }, uri: '/events' }
const SUBSCRIBER = { ref: { kind: 'Service', name: 'loan' }, uri: '/events' }

const read = (
  documents: Record<string, unknown>[],
  status: { services?: Service[]; brokers?: Broker[] } = {},
): Promise<KubernetesObject[]> =>
  createObjects({
    manifests: { resources: documents.map((document) => readResource('test.yaml', document)) },
    status: async () => ({ services: [], brokers: [broker()], ...status }),
    startedAt: new Date(),
  })()

/**
 * A condition of an object as text: `False RevisionMissing Configuration "loan" does not have any ready
 * Revision.`
 */
const said = (objects: KubernetesObject[], kind: string, type: string): string => {
  const { status, reason, message } = conditionOf(find(objects, kind), type)!
  return [status, reason, message].filter(Boolean).join(' ')
}

const find = (objects: KubernetesObject[], kind: string): KubernetesObject =>
  objects.find((object) => object.kind === kind)!

describe('a Service', () => {
  const serving = (status: Partial<Service>) => read([LOAN], { services: [service(status)] })
  const CRASH = 'ended with code 3: no account book'

  test('whose first process is still starting is Unknown, and has no traffic', async () => {
    const objects = await serving({ initialized: false, wanted: 1 })
    const waiting = 'Unknown RevisionMissing Configuration "loan" is waiting for a Revision to become ready.'
    expect(said(objects, 'Revision', 'Ready')).toBe('Unknown Deploying')
    expect(said(objects, 'Configuration', 'Ready')).toBe('Unknown')
    expect(said(objects, 'Route', 'Ready')).toBe(waiting)
    expect(said(objects, 'Service', 'Ready')).toBe(waiting)
    const { status } = find(objects, 'Service')
    expect(status).toMatchObject({ url: 'http://loan', latestCreatedRevisionName: 'loan-00001' })
    for (const field of ['traffic', 'address', 'latestReadyRevisionName'])
      expect(status).not.toHaveProperty(field)
  })

  test('that never started says how its container failed, and that there is no Revision', async () => {
    const objects = await serving({ initialized: false, wanted: 1, ready: false, reason: CRASH })
    const failed = `Container failed with: ${CRASH}`
    const missing = 'False RevisionMissing Configuration "loan" does not have any ready Revision.'
    expect(said(objects, 'Revision', 'ContainerHealthy')).toBe(`False ExitCode3 ${failed}`)
    expect(said(objects, 'Revision', 'Ready')).toBe(`False ExitCode3 ${failed}`)
    expect(said(objects, 'Revision', 'ResourcesAvailable')).toBe('Unknown Deploying')
    expect(said(objects, 'Service', 'ConfigurationsReady')).toBe(
      `False RevisionFailed Revision "loan-00001" failed with message: ${failed}.`,
    )
    expect(said(objects, 'Service', 'RoutesReady')).toBe(missing)
    expect(said(objects, 'Service', 'Ready')).toBe(missing)
  })

  test('that was ready and crashes keeps its traffic, and says which Revision failed', async () => {
    const objects = await serving({ ready: false, reason: CRASH })
    const missing = 'False RevisionMissing Revision "loan-00001" failed to become ready.'
    expect(said(objects, 'Route', 'AllTrafficAssigned')).toBe(missing)
    expect(said(objects, 'Service', 'Ready')).toBe(missing)
    expect(said(objects, 'Revision', 'ResourcesAvailable')).toBe('True')
    expect(find(objects, 'Service').status).toMatchObject({
      ...{ latestReadyRevisionName: 'loan-00001', traffic: [{ revisionName: 'loan-00001' }] },
    })
  })

  test.each([
    ['was ended by SIGKILL', 'False ExitCode137 Container failed with: was ended by SIGKILL'],
    ['did not open its port within 30 s', 'False ProgressDeadlineExceeded did not open its port within 30 s'],
  ])('whose process %s says so in the words of Kubernetes', async (reason, expected) => {
    expect(said(await serving({ ready: false, reason }), 'Revision', 'Ready')).toBe(expected)
  })

  test('has a Route with its labels, which say whether it is public', async () => {
    expect(find(await serving({}), 'Route').metadata.labels).toEqual({
      'networking.knative.dev/visibility': 'cluster-local',
      'serving.knative.dev/service': 'loan',
    })
  })
})

describe('a Broker and its Trigger', () => {
  const both = (status: Partial<Broker>, delivery: object = { deadLetterSink: DEAD_LETTERS }) =>
    read(
      [
        eventing('Broker', 'default', { delivery }),
        eventing('Trigger', 'loan', { broker: 'default', delivery, subscriber: SUBSCRIBER }),
      ],
      { brokers: [broker(status)] },
    )
  const notReady = (object: KubernetesObject): string[] =>
    object.status!.conditions!.filter(({ status }) => status !== 'True').map(({ type }) => type)

  test('without their exchange are not ready, and their other conditions stay', async () => {
    const objects = await both({ ready: false, reason: 'connect ECONNREFUSED' })
    expect(notReady(find(objects, 'Broker'))).toEqual(['ExchangeReady', 'Ready'])
    expect(notReady(find(objects, 'Trigger'))).toEqual(['BrokerReady', 'Ready'])
    expect(said(objects, 'Trigger', 'Ready')).toMatch(/^False ExchangeFailure .*: connect ECONNREFUSED$/)
  })

  test('say where dead letters go, or that there is no sink', async () => {
    const somewhere = await both({})
    expect(find(somewhere, 'Broker').status).toMatchObject({
      deadLetterSinkUri: 'http://dead-letters.bank.svc.cluster.local/events',
    })
    const nowhere = await both({}, {})
    const none = 'True DeadLetterSinkNotConfigured No dead letter sink is configured.'
    expect(said(nowhere, 'Broker', 'DLXReady')).toBe(none)
    expect(said(nowhere, 'Trigger', 'DeadLetterSinkResolved')).toBe(none)
    expect(said(nowhere, 'Broker', 'Ready')).toBe('True')
  })

  test('are not ready if the subscriber can not be found', async () => {
    const objects = await both({ triggers: [trigger(false, 'no ref and no uri')] })
    expect(notReady(find(objects, 'Trigger'))).toEqual(['Ready', 'SubscriberResolved', 'SubscriptionReady'])
    expect(find(objects, 'Trigger').status).not.toHaveProperty('subscriberUri')
  })

  test('can be found from each other', async () => {
    expect(find(await both({}), 'Trigger').metadata.labels).toEqual({
      'eventing.knative.dev/broker': 'default',
    })
  })
})

test('an EventType exists in both versions, and the newer one lists attributes', async () => {
  const reference = { kind: 'Broker', name: 'default' }
  const spec = {
    type: 'loan.granted',
    source: '/test',
    schema: 'https://test/1',
    description: 'A loan.',
    reference,
  }
  const types = (await read([eventing('EventType', 'loan.granted', spec)])).filter(
    (o) => o.kind === 'EventType',
  )
  expect(types.map(({ apiVersion }) => apiVersion)).toEqual([
    ...['eventing.knative.dev/v1beta3', 'eventing.knative.dev/v1beta2'],
  ])
  expect(types[0]!.spec).toEqual({
    ...{ description: 'A loan.', reference },
    attributes: [
      { name: 'specversion', required: true },
      { name: 'id', required: true },
      { name: 'type', required: true, value: 'loan.granted' },
      { name: 'source', required: true, value: '/test' },
      { name: 'schemadata', required: false, value: 'https://test/1' },
    ],
  })
  expect(types[0]!.metadata.uid).toBe(types[1]!.metadata.uid)
})

test('an EventType of a missing Broker is not ready', async () => {
  const objects = await read([eventing('EventType', 'x', { reference: { kind: 'Broker', name: 'other' } })])
  expect(said(objects, 'EventType', 'Ready')).toBe(
    'False ResourceDoesNotExist Resource in spec.reference does not exist',
  )
})

test('a label tells which kinds are sources', async () => {
  const kinds = (await read([])).filter(({ kind }) => kind === 'CustomResourceDefinition')
  const sources = kinds.filter(({ metadata }) => metadata.labels?.['duck.knative.dev/source'] === 'true')
  expect(sources.map(({ metadata }) => metadata.name)).toEqual(['pingsources.sources.knative.dev'])
  const eventTypes = kinds.find(({ metadata }) => metadata.name === 'eventtypes.eventing.knative.dev')!
  expect(eventTypes.spec).toMatchObject({
    versions: [{ name: 'v1beta3' }, { name: 'v1beta2', storage: true }],
  })
})

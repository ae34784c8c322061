import { constants } from 'node:os'
import { clusterHostOf } from '../../gateway/hosts.ts'
import type { Resource } from '../../manifests/resource.ts'
import type { AddressedServiceStatus } from '../../status.ts'
import type { Condition, KubernetesObject, Metadata } from '../object.ts'
import { readyOf, TRUE, type Told } from './conditions.ts'
import type { Make } from './make.ts'

const SERVING = 'serving.knative.dev'

/**
 * A Service and the objects that Knative would make for it: a Configuration, a Route and one Revision. There
 * is only one Revision, because the manifests are read once. The conditions are those of Serving 1.23:
 * reasons and messages are in pkg/apis/serving/v1/<kind>_lifecycle.go, when they are set in
 * pkg/reconciler/<kind>.
 */
export function servingObjects(
  resource: Resource,
  status: AddressedServiceStatus,
  make: Make,
): KubernetesObject[] {
  const { name } = resource.metadata
  const { spec } = resource.document as { spec: { template: object } }
  const revisionName = `${name}-00001`
  const service = make.metadata('Service', resource)
  const labels = { [`${SERVING}/service`]: name }
  const owned = (kind: string, all: Record<string, string>): Metadata =>
    make.metadata(kind, { metadata: { name, labels: all, annotations: {} } }, ownedBy('Service', service))
  const configuration = owned('Configuration', labels)
  // The labels say whether it is public.
  const route = owned('Route', { ...resource.metadata.labels, ...labels })

  const ofRevision = revisionConditions(status)
  const ofRoute = routeConditions(status, revisionName)
  const configurationReady = configurationReadiness(status, revisionName, readyOf(ofRevision).message)
  const ofService: Condition[] = [
    { type: 'ConfigurationsReady', ...configurationReady },
    { type: 'RoutesReady', ...readyOf(ofRoute) },
  ]
  const { url, initialized } = status
  const latest = {
    latestCreatedRevisionName: revisionName,
    ...(initialized && { latestReadyRevisionName: revisionName }),
  }
  const address = { url: `http://${clusterHostOf({ name })}` }
  const traffic = [{ latestRevision: true, percent: 100, revisionName }]
  const reached = { url, ...(initialized && { address, traffic }) }

  const apiVersion = `${SERVING}/v1`
  const withStatus = (metadata: Metadata, conditions: Condition[], more: object, ready?: Told) => ({
    metadata,
    status: { observedGeneration: 1, conditions: make.conditions(metadata.uid, conditions, ready), ...more },
  })
  return [
    {
      ...{ apiVersion, kind: 'Service', spec },
      ...withStatus(service, ofService, { ...reached, ...latest }),
    },
    {
      ...{ apiVersion, kind: 'Configuration', spec: { template: spec.template } },
      ...withStatus(configuration, [], latest, configurationReady),
    },
    {
      ...{ apiVersion, kind: 'Route' },
      spec: { traffic: [{ configurationName: name, latestRevision: true, percent: 100 }] },
      ...withStatus(route, ofRoute, reached),
    },
    {
      ...{ apiVersion, kind: 'Revision', spec: (spec.template as { spec?: object }).spec },
      ...withStatus(
        revisionMetadata(revisionName, spec.template, configuration, make),
        ofRevision,
        replicas(status),
      ),
    },
  ]
}

function revisionMetadata(
  name: string,
  template: { metadata?: Partial<Resource['metadata']> },
  configuration: Metadata,
  make: Make,
): Metadata {
  const labels = {
    ...template.metadata?.labels,
    ...configuration.labels,
    [`${SERVING}/configuration`]: configuration.name,
    [`${SERVING}/configurationGeneration`]: '1',
    [`${SERVING}/routingState`]: 'active',
  }
  const metadata = { name, labels, annotations: template.metadata?.annotations ?? {} }
  return make.metadata('Revision', { metadata }, ownedBy('Configuration', configuration))
}

/** Nothing is desired until the autoscaler has decided for the first time. */
const replicas = ({ processes, wanted, coldStarts }: AddressedServiceStatus) => ({
  actualReplicas: processes,
  ...((wanted > 0 || coldStarts > 0) && { desiredReplicas: wanted }),
})

function revisionConditions(status: AddressedServiceStatus): Condition[] {
  const usual: Told = status.initialized ? TRUE : { status: 'Unknown', reason: 'Deploying' }
  const failure = failureOf(status)
  const conditions: Condition[] = [
    { type: 'Active', severity: 'Info', ...activity(status) },
    { type: 'ResourcesAvailable', ...usual },
    { type: 'ContainerHealthy', ...usual },
  ]
  return conditions.map((condition) => (condition.type === failure?.type ? failure : condition))
}

/** The Active condition: whether a request could be served at once. */
function activity({ processes, wanted }: AddressedServiceStatus): Told {
  if (processes > 0) return TRUE
  if (wanted === 0)
    return { status: 'False', reason: 'NoTraffic', message: 'The target is not receiving traffic.' }
  return {
    ...{ status: 'Unknown', reason: 'Queued' },
    message: 'Requests to the target are being buffered as resources are provisioned.',
  }
}

/**
 * The condition that says why no process stays; undefined if the Service is ready. A process that ended is
 * reported as a failed container. One that never opened its port would not be killed on a cluster: it would
 * keep its Deployment from making progress.
 */
function failureOf({ ready, reason }: AddressedServiceStatus): Condition | undefined {
  if (ready) return undefined
  const [, code, signal] = /^(?:ended with code (\d+)|was ended by (SIG\w+))/.exec(reason) ?? []
  // A kubelet reports a signal as a shell does: 128 plus its number.
  const exitCode = signal ? 128 + constants.signals[signal as NodeJS.Signals] : code
  return exitCode === undefined
    ? {
        ...{ type: 'ResourcesAvailable', status: 'False', reason: 'ProgressDeadlineExceeded' },
        message: reason,
      }
    : {
        ...{ type: 'ContainerHealthy', status: 'False', reason: `ExitCode${exitCode}` },
        message: `Container failed with: ${reason}`,
      }
}

function configurationReadiness(
  { ready, initialized }: AddressedServiceStatus,
  revisionName: string,
  failed: string | undefined,
): Told {
  if (ready) return initialized ? TRUE : { status: 'Unknown' }
  return {
    ...{ status: 'False', reason: 'RevisionFailed' },
    message: `Revision "${revisionName}" failed with message: ${failed}.`,
  }
}

/**
 * The conditions of the Route. Traffic goes to a ready Revision or to none. Until there has been a ready one,
 * no ingress is made either.
 */
function routeConditions(
  { name, ready, initialized }: AddressedServiceStatus,
  revisionName: string,
): Condition[] {
  const missing = initialized
    ? `Revision "${revisionName}" failed to become ready.`
    : ready
      ? `Configuration "${name}" is waiting for a Revision to become ready.`
      : `Configuration "${name}" does not have any ready Revision.`
  const assigned: Told =
    ready && initialized
      ? TRUE
      : { status: ready ? 'Unknown' : 'False', reason: 'RevisionMissing', message: missing }
  const certificate: Told = initialized
    ? { ...TRUE, reason: 'TLSNotEnabled', message: 'external-domain-tls is not enabled' }
    : { status: 'Unknown' }
  const ingress: Told = initialized
    ? TRUE
    : { status: 'Unknown', reason: 'IngressNotConfigured', message: 'Ingress has not yet been reconciled.' }
  return [
    { type: 'CertificateProvisioned', ...certificate },
    { type: 'IngressReady', ...ingress },
    { type: 'AllTrafficAssigned', ...assigned },
  ]
}

const ownedBy = (kind: string, { name, uid }: Metadata) => ({
  ...{ apiVersion: `${SERVING}/v1`, kind, name, uid, controller: true, blockOwnerDeletion: true },
})

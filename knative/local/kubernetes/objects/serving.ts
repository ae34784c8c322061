import type { Resource } from '../../resource.ts'
import type { RuntimeStatus } from '../../runtime.ts'
import { clusterHostOf } from '../../hosts.ts'
import type { Condition, KubernetesObject, Metadata } from '../object.ts'
import type { Make } from './objects.ts'

type ServiceStatus = RuntimeStatus['services'][number]

const SERVING = 'serving.knative.dev'
const TRUE = 'True' as const

/** A Service with what Knative would make for it: Configuration, Route and the one Revision that there is, because
 * the manifests are read once. Conditions, reasons and messages are those of Serving 1.23. */
export function servingObjects(resource: Resource, status: ServiceStatus, make: Make): KubernetesObject[] {
  const { name } = resource.metadata
  const { spec } = resource.document as { spec: { template: object } }
  const revisionName = `${name}-00001`
  const service = make.metadata('Service', resource)
  const labels = { [`${SERVING}/service`]: name }
  const [configuration, route] = (['Configuration', 'Route'] as const).map((kind) =>
    make.metadata(kind, { metadata: { name, labels, annotations: {} } }, ownedBy('Service', service)),
  ) as [Metadata, Metadata]

  const failure = revisionFailure(status)
  const holds: Omit<Condition, 'type'> = failure
    ? {
        ...{ status: 'False', reason: 'RevisionFailed' },
        message: `Revision "${revisionName}" failed with message: ${failure.message}.`,
      }
    : { status: TRUE }
  const latest = { latestCreatedRevisionName: revisionName, latestReadyRevisionName: revisionName }
  const reached = {
    url: status.url,
    address: { url: `http://${clusterHostOf({ name })}` },
    traffic: [{ latestRevision: true, percent: 100, revisionName }],
  }
  const withStatus = (metadata: Metadata, conditions: Condition[], more: object) => ({
    metadata,
    status: { observedGeneration: 1, conditions: make.since(metadata.uid, conditions), ...more },
  })
  const serviceConditions: Condition[] = [
    { type: 'ConfigurationsReady', ...holds },
    { type: 'Ready', ...holds },
    { type: 'RoutesReady', status: TRUE },
  ]
  const routeConditions: Condition[] = [
    { type: 'AllTrafficAssigned', status: TRUE },
    { type: 'CertificateProvisioned', status: TRUE, reason: 'TLSNotEnabled' },
    { type: 'IngressReady', status: TRUE },
    { type: 'Ready', status: TRUE },
  ]
  const apiVersion = `${SERVING}/v1`
  return [
    {
      ...{ apiVersion, kind: 'Service', spec },
      ...withStatus(service, serviceConditions, { ...reached, ...latest }),
    },
    {
      ...{ apiVersion, kind: 'Configuration', spec: { template: spec.template } },
      ...withStatus(configuration, [{ type: 'Ready', ...holds }], latest),
    },
    {
      ...{ apiVersion, kind: 'Route' },
      spec: { traffic: [{ configurationName: name, latestRevision: true, percent: 100 }] },
      ...withStatus(route, routeConditions, reached),
    },
    revision({ revisionName, spec, labels, configuration, status, make }),
  ]
}

interface RevisionParts {
  revisionName: string
  spec: { template: object }
  labels: Record<string, string>
  configuration: Metadata
  status: ServiceStatus
  make: Make
}

function revision({
  revisionName,
  spec,
  labels,
  configuration,
  status,
  make,
}: RevisionParts): KubernetesObject {
  const template = spec.template as { spec?: object; metadata?: Partial<Resource['metadata']> }
  const about = {
    name: revisionName,
    annotations: template.metadata?.annotations ?? {},
    labels: {
      ...template.metadata?.labels,
      ...labels,
      [`${SERVING}/configuration`]: configuration.name,
      [`${SERVING}/configurationGeneration`]: '1',
      [`${SERVING}/routingState`]: 'active',
    },
  }
  const metadata = make.metadata('Revision', { metadata: about }, ownedBy('Configuration', configuration))
  const failure = revisionFailure(status)
  const health: Omit<Condition, 'type'> = failure ? { status: 'False', ...failure } : { status: TRUE }
  const conditions: Condition[] = [
    { type: 'Active', severity: 'Info', ...activity(status) },
    { type: 'ContainerHealthy', ...health },
    { type: 'Ready', ...health },
    { type: 'ResourcesAvailable', status: TRUE },
  ]
  return {
    ...{ apiVersion: `${SERVING}/v1`, kind: 'Revision', metadata, spec: template.spec },
    status: {
      observedGeneration: 1,
      conditions: make.since(metadata.uid, conditions),
      actualReplicas: status.processes,
      desiredReplicas: status.wanted,
    },
  }
}

/** Whether somebody could be served at once. */
function activity({ processes, wanted }: ServiceStatus): Omit<Condition, 'type'> {
  if (processes > 0) return { status: TRUE }
  if (wanted === 0)
    return { status: 'False', reason: 'NoTraffic', message: 'The target is not receiving traffic.' }
  return {
    ...{ status: 'Unknown', reason: 'Queued' },
    message: 'Requests to the target are being buffered as resources are provisioned.',
  }
}

/** Why no process of it stays, where that is so. */
function revisionFailure({ ready, reason }: ServiceStatus): { reason: string; message: string } | undefined {
  if (ready) return undefined
  const code = /^ended with code (\d+)/.exec(reason)?.[1]
  return {
    reason: code === undefined ? 'ContainerCrashed' : `ExitCode${code}`,
    message: `Container failed with: ${reason}`,
  }
}

const ownedBy = (kind: string, { name, uid }: Metadata) => ({
  ...{ apiVersion: `${SERVING}/v1`, kind, name, uid, controller: true, blockOwnerDeletion: true },
})

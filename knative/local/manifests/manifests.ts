import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isKustomization, patched, readKustomization } from './kustomization.ts'
import { field, optionalText, parseYaml, readResource, strings, wrong, type Resource } from './resource.ts'
import { readService, type ServiceManifest } from './service-manifest.ts'

/** The namespace of all the bank's manifests. */
export const NAMESPACE = 'bank'

export interface PingSourceManifest {
  name: string
  schedule: string
  timezone: string | undefined
  contentType: string | undefined
  /** The event's data, as bytes; undefined if the event has none. */
  data: Buffer | undefined
  extensions: Record<string, string>
  sink: { kind: string; name: string; uri: string }
}

export interface Manifests {
  services: ServiceManifest[]
  configMaps: Map<string, Record<string, string>>
  pingSources: PingSourceManifest[]
  /**
   * The documents of the kinds Broker, RabbitmqBrokerConfig and Trigger. eventing/broker knows what they
   * mean.
   */
  eventing: Resource[]
  /** All resources that were read, patched, in the order of the files. */
  resources: Resource[]
}

const EVENTING_KINDS = ['Broker', 'RabbitmqBrokerConfig', 'Trigger']

/**
 * Reads the manifests that a cluster would get, and returns what the local runtime needs of them. Skips kinds
 * that it doesn't need. Throws an error with the file's name at the first document that is wrong.
 */
export function readManifests(root: string): Manifests {
  const resources = readResources(root)
  refuseDuplicates(resources)
  const ofKind = (kind: string, group: string) =>
    resources.filter((resource) => resource.kind === kind && resource.apiVersion.startsWith(group))
  const manifests = {
    services: ofKind('Service', 'serving.knative.dev/').map(readService),
    configMaps: new Map(
      ofKind('ConfigMap', 'v1').map((resource) => [
        resource.metadata.name,
        strings(resource, 'data', resource.document.data),
      ]),
    ),
    pingSources: ofKind('PingSource', 'sources.knative.dev/').map(readPingSource),
    eventing: resources.filter((resource) => EVENTING_KINDS.includes(resource.kind)),
    resources,
  }
  requireSubscribers(resources, manifests.services)
  return manifests
}

/**
 * Returns every object in the YAML files under `<root>/knative/services` and `<root>/eventing`, and in
 * `<root>/knative/config*.yaml`. The objects are those that `kubectl apply -k` would apply: with the patches
 * of each kustomization.yaml in the same folder or above.
 */
export function readResources(root: string): Resource[] {
  const files = manifestFiles(root)
  const kustomizations = files.filter(isKustomization).map((file) => readKustomization(root, file))
  const others = kustomizations.flatMap(({ patches }) => patches.map(({ file }) => file))
  return files
    .filter((file) => !isKustomization(file) && !others.includes(file))
    .flatMap((file) => readDocuments(root, file))
    .map((resource) => patched(resource, kustomizations))
}

/** Relative to the root. */
function manifestFiles(root: string): string[] {
  const config = list(join(root, 'knative')).filter((file) => /^config.*\.ya?ml$/.test(file))
  return [
    ...config.map((file) => join('knative', file)),
    ...['knative/services', 'eventing'].flatMap((name) =>
      list(join(root, name), true)
        .filter((file) => /\.ya?ml$/.test(file))
        .map((file) => join(name, file)),
    ),
  ].sort()
}

function list(folder: string, recursive = false): string[] {
  try {
    return readdirSync(folder, { recursive, encoding: 'utf8' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function readDocuments(root: string, file: string): Resource[] {
  const documents = parseYaml(file, readFileSync(join(root, file), 'utf8'))
  return documents.map((document) => readResource(file, document as Record<string, unknown>))
}

function refuseDuplicates(resources: Resource[]): void {
  const seen = new Map<string, Resource>()
  for (const resource of resources) {
    const key = `${resource.apiVersion} ${resource.kind} ${resource.metadata.name}`
    const first = seen.get(key)
    if (first)
      throw new Error(
        `${resource.file}: ${resource.kind} ${resource.metadata.name} is already in ${first.file}`,
      )
    seen.set(key, resource)
  }
}

const DESTINATIONS = ['spec.subscriber.ref', 'spec.delivery.deadLetterSink.ref', 'spec.sink.ref']

/**
 * Throws if a subscriber, a sink or a dead letter sink is a Service without a manifest. Its events would be
 * retried for a long time, so it is better to say so at the start.
 */
function requireSubscribers(resources: Resource[], services: ServiceManifest[]): void {
  const known = new Set(services.map((service) => service.name))
  for (const resource of resources)
    for (const path of DESTINATIONS) {
      const ref = field(resource, path) as { kind?: unknown; name?: unknown } | undefined
      if (ref?.kind === 'Service' && !known.has(String(ref.name)))
        throw wrong(resource, `${path}.name`, 'the name of a Service that has a manifest', ref.name)
    }
}

function readPingSource(resource: Resource): PingSourceManifest {
  const sink = field(resource, 'spec.sink.ref') as { kind?: string; name?: string } | undefined
  if (!sink?.kind || !sink.name) throw wrong(resource, 'spec.sink.ref', 'a kind and a name', sink)
  const data = optionalText(resource, 'spec.data')
  const dataBase64 = optionalText(resource, 'spec.dataBase64')
  return {
    name: resource.metadata.name,
    schedule: optionalText(resource, 'spec.schedule') ?? '* * * * *',
    timezone: optionalText(resource, 'spec.timezone'),
    contentType: optionalText(resource, 'spec.contentType'),
    data: dataBase64 ? Buffer.from(dataBase64, 'base64') : data === undefined ? undefined : Buffer.from(data),
    extensions: strings(
      resource,
      'spec.ceOverrides.extensions',
      field(resource, 'spec.ceOverrides.extensions'),
    ),
    sink: { kind: sink.kind, name: sink.name, uri: optionalText(resource, 'spec.sink.uri') ?? '/' },
  }
}

import type { Scaling } from '../serving/autoscaler.ts'
import { field, optionalText, wrong, type Resource } from './resource.ts'

/** Where one variable comes from, or all the variables of a Secret or ConfigMap. */
export type EnvSource =
  | { kind: 'value'; name: string; value: string }
  | { kind: 'key'; name: string; of: 'Secret' | 'ConfigMap'; from: string; key: string; optional: boolean }
  | { kind: 'all'; of: 'Secret' | 'ConfigMap'; from: string; prefix: string; optional: boolean }

/** The parts of a Knative Service that the local runtime applies. */
export interface ServiceManifest {
  name: string
  file: string
  /** Hidden from the public listener, as Kourier would hide it. */
  clusterLocal: boolean
  /** The name of the bundle in dist/functions: the container's first argument. */
  bundle: string
  /** The container's other arguments. */
  args: string[]
  /** In the order in which they apply: a later one wins, as in Kubernetes. */
  env: EnvSource[]
  /** The most requests that one process may have at a time; 0 is no limit. */
  containerConcurrency: number
  /** Milliseconds for a whole answer. */
  timeoutMs: number
  /** Milliseconds until an answer begins, if it need not be whole by then. */
  responseStartMs: number | undefined
  /** Milliseconds without a byte of an answer that has begun. */
  idleMs: number | undefined
  scaling: Scaling
  /** Set if it runs as an account of its own, whose token opens the Kubernetes API. */
  serviceAccount: string | undefined
}

const POD = 'spec.template.spec'
const PREFIX = 'autoscaling.knative.dev/'

/**
 * Reads a `serving.knative.dev/v1` Service. The defaults are those of Knative Serving 1.23. Throws an error
 * with the file and the field if a value is wrong.
 */
export function readService(resource: Resource): ServiceManifest {
  const containers = field(resource, `${POD}.containers`)
  if (!Array.isArray(containers) || containers.length !== 1)
    throw wrong(resource, `${POD}.containers`, 'a list with one container', containers)
  const container = containers[0] as Record<string, unknown>
  const [bundle, ...args] = texts(resource, `${POD}.containers.0.args`)
  if (bundle === undefined || !/^[a-z0-9-]+$/.test(bundle))
    throw wrong(
      resource,
      `${POD}.containers.0.args`,
      "a list that starts with a bundle's name",
      container.args,
    )
  const containerConcurrency = number(resource, `${POD}.containerConcurrency`, 0)
  return {
    name: resource.metadata.name,
    file: resource.file,
    clusterLocal: resource.metadata.labels['networking.knative.dev/visibility'] === 'cluster-local',
    bundle,
    args,
    env: readEnv(resource, container),
    containerConcurrency,
    timeoutMs: number(resource, `${POD}.timeoutSeconds`, 300) * 1000,
    responseStartMs: optionalMs(resource, `${POD}.responseStartTimeoutSeconds`),
    idleMs: optionalMs(resource, `${POD}.idleTimeoutSeconds`),
    scaling: readScaling(resource, containerConcurrency),
    serviceAccount: optionalText(resource, `${POD}.serviceAccountName`),
  }
}

function readScaling(resource: Resource, containerConcurrency: number): Scaling {
  const annotations = (field(resource, 'spec.template.metadata.annotations') ?? {}) as Record<string, unknown>
  const annotation = <Value>(
    name: string,
    fallback: Value,
    parse: (text: string) => Value | undefined,
  ): Value => {
    const given = annotations[PREFIX + name]
    if (given === undefined) return fallback
    const value = typeof given === 'string' ? parse(given) : undefined
    if (value !== undefined) return value
    throw wrong(
      resource,
      `spec.template.metadata.annotations.${PREFIX}${name}`,
      'a quoted number or duration',
      given,
    )
  }
  if (annotation('metric', 'concurrency', (text) => text) !== 'concurrency')
    throw wrong(resource, `annotation ${PREFIX}metric`, 'concurrency', annotations[`${PREFIX}metric`])
  const windowMs = annotation('window', 60_000, duration)
  // A containerConcurrency above 0 is the capacity of a process; a target may only lower it.
  const capacity = annotation('target', containerConcurrency || 100, decimal)
  const utilization = annotation('target-utilization-percentage', 70, decimal) / 100
  return {
    minScale: annotation('min-scale', 0, decimal),
    maxScale: annotation('max-scale', 0, decimal),
    initialScale: annotation('initial-scale', 1, decimal),
    activationScale: annotation('activation-scale', 1, decimal),
    target: Math.max(0.01, Math.min(capacity, containerConcurrency || capacity) * utilization),
    windowMs,
    panicWindowMs: (windowMs * annotation('panic-window-percentage', 10, decimal)) / 100,
    panicThreshold: annotation('panic-threshold-percentage', 200, decimal) / 100,
    scaleDownDelayMs: annotation('scale-down-delay', 0, duration),
    retentionMs: annotation('scale-to-zero-pod-retention-period', 0, duration),
  }
}

function readEnv(resource: Resource, container: Record<string, unknown>): EnvSource[] {
  const all = items(resource, container, 'envFrom').map(([entry, path]): EnvSource => {
    const secret = entry.secretRef as Reference | undefined
    const reference = secret ?? (entry.configMapRef as Reference | undefined)
    if (!reference?.name) throw wrong(resource, path, 'a secretRef or configMapRef with a name', entry)
    const of = secret ? 'Secret' : 'ConfigMap'
    const prefix = typeof entry.prefix === 'string' ? entry.prefix : ''
    return { kind: 'all', of, from: reference.name, prefix, optional: reference.optional === true }
  })
  const single = items(resource, container, 'env').map(([entry, path]): EnvSource => {
    const { name, value, valueFrom } = entry
    if (typeof name !== 'string') throw wrong(resource, `${path}.name`, 'text', name)
    if (valueFrom === undefined) {
      if (typeof (value ?? '') !== 'string') throw wrong(resource, `${path}.value`, 'text in quotes', value)
      return { kind: 'value', name, value: (value as string | undefined) ?? '' }
    }
    const { secretKeyRef, configMapKeyRef } = valueFrom as Record<string, Reference | undefined>
    const reference = secretKeyRef ?? configMapKeyRef
    if (!reference?.name || !reference.key)
      throw wrong(
        resource,
        `${path}.valueFrom`,
        'a secretKeyRef or configMapKeyRef with name and key',
        valueFrom,
      )
    const { name: from, key, optional } = reference
    return {
      kind: 'key',
      name,
      of: secretKeyRef ? 'Secret' : 'ConfigMap',
      from,
      key,
      optional: optional === true,
    }
  })
  return [...all, ...single]
}

interface Reference {
  name?: string
  key?: string
  optional?: boolean
}

function items(
  resource: Resource,
  container: Record<string, unknown>,
  name: 'env' | 'envFrom',
): [entry: Record<string, unknown>, path: string][] {
  const value = container[name] ?? []
  const path = `${POD}.containers.0.${name}`
  if (!Array.isArray(value)) throw wrong(resource, path, 'a list', value)
  return value.map((entry, index) => [(entry ?? {}) as Record<string, unknown>, `${path}.${index}`])
}

function texts(resource: Resource, path: string): string[] {
  const value = field(resource, path) ?? []
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value
  throw wrong(resource, path, 'a list of texts', value)
}

function number(resource: Resource, path: string, fallback: number): number {
  const value = field(resource, path) ?? fallback
  if (typeof value === 'number' && value >= 0) return value
  throw wrong(resource, path, 'a number', value)
}

/** Returns a limit in milliseconds; undefined if there is none. */
function optionalMs(resource: Resource, path: string): number | undefined {
  return number(resource, path, 0) * 1000 || undefined
}

function decimal(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * Reads a duration as Go writes it, which Knative's annotations use: 90s, 1m30s, 0s. Returns milliseconds;
 * undefined if it can't be read.
 */
function duration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined
  const parts = text.matchAll(/([\d.]+)(ms|s|m|h)/g)
  return [...parts].reduce(
    (sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS],
    0,
  )
}

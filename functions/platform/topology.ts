import { databaseContexts, type Context } from '../contexts.ts'
import type { CatalogueEntry } from '../host/catalogue-entry.ts'
import { edgesOf } from './edges.ts'
import { conditionOf, readinessOf, type ClusterObject, type ClusterObjects } from './kubernetes.ts'
import { toPhases, type RuntimeReport, type ServiceReport, type StartReport } from './runtime-report.ts'
import type { BankTopology, ShownFunction, ShownTrigger } from './topology-schema.ts'

const SCALE = 'autoscaling.knative.dev'

/** What the picture of the bank is made from. */
export interface TopologySources {
  objects: ClusterObjects
  /** Undefined on a cluster, where what only a runtime counts is not known. */
  report: RuntimeReport | undefined
  catalogue: readonly CatalogueEntry[]
  now: Date
}

/** Puts together what runs, in which state, and what leads where. */
export function topologyOf({ objects, report, catalogue, now }: TopologySources): BankTopology {
  const functions = objects.services.map((service) => functionOf(service, objects.revisions, report))
  const triggers = objects.triggers.map((trigger) => triggerOf(trigger, report))
  const brokers = objects.brokers.map((broker) => ({ name: broker.metadata.name, ...readinessOf(broker) }))
  const clocks = objects.pingsources.map(({ metadata, spec }) => ({
    name: metadata.name,
    schedule: String(spec?.schedule ?? '* * * * *'),
    function: nameOf(spec?.sink),
  }))
  const databases = [...databaseContexts]
  return {
    as_of: now.toISOString(),
    runtime: report ? 'local' : 'cluster',
    ...{ functions, brokers, triggers, clocks, databases },
    edges: edgesOf({ functions, triggers, clocks, catalogue }),
  }
}

function functionOf(
  service: ClusterObject,
  revisions: readonly ClusterObject[],
  report: RuntimeReport | undefined,
): ShownFunction {
  const { name, labels } = service.metadata
  const { metadata: template, spec } = service.spec.template as {
    metadata?: ClusterObject['metadata']
    spec: { containerConcurrency?: number }
  }
  const scale = (setting: string): number | undefined => {
    const given = template?.annotations?.[`${SCALE}/${setting}`]
    return given === undefined ? undefined : Number(given)
  }
  const own = report?.services.find((each) => each.name === name)
  const { processes, starting } = own ?? countsOf(name, revisions)
  const failure = failureOf(service)
  return {
    name,
    context: (template?.labels?.['microbank.dev/context'] ?? 'web') as Context,
    is_public: labels?.['networking.knative.dev/visibility'] !== 'cluster-local',
    state: failure === null ? stateOf(processes, starting, own) : 'failing',
    reason: failure,
    ...{ processes, starting },
    min_scale: scale('min-scale') ?? 0,
    // 0 is no limit, for both.
    max_scale: scale('max-scale') || null,
    concurrency: spec.containerConcurrency || null,
    in_flight: own?.inFlight ?? null,
    held: own?.held ?? null,
    cold_starts: own?.coldStarts ?? null,
    last_start: own?.lastColdStart ? startOf(own.lastColdStart) : null,
  }
}

function stateOf(
  processes: number,
  starting: number,
  own: ServiceReport | undefined,
): Exclude<ShownFunction['state'], 'failing'> {
  if (processes === 0) return starting > 0 || (own?.held ?? 0) > 0 ? 'starting' : 'zero'
  return (own?.inFlight ?? 0) > 0 ? 'busy' : 'ready'
}

/** Adds up the revisions of a Service: for a while, an old one still has processes. They are not those that a
 * new one waits for, so what starts is counted for each. */
function countsOf(name: string, revisions: readonly ClusterObject[]) {
  let [processes, starting] = [0, 0]
  for (const { metadata, status } of revisions) {
    if (metadata.labels?.['serving.knative.dev/service'] !== name) continue
    const actual = Number(status?.actualReplicas ?? 0)
    processes += actual
    starting += Math.max(0, Number(status?.desiredReplicas ?? 0) - actual)
  }
  return { processes, starting }
}

/** Why a Service can't start; null if it can, or if that is not known yet. The Configuration knows most. */
function failureOf(object: ClusterObject): string | null {
  if (conditionOf(object, 'Ready')?.status !== 'False') return null
  const failed = ['ConfigurationsReady', 'Ready']
    .map((type) => conditionOf(object, type))
    .find((condition) => condition?.status === 'False')!
  return failed.message ?? failed.reason ?? 'NotReady'
}

function triggerOf(trigger: ClusterObject, report: RuntimeReport | undefined): ShownTrigger {
  const { metadata, spec, status } = trigger
  const broker = String(spec.broker)
  const own = report?.brokers
    .find((each) => each.name === broker)
    ?.triggers.find((each) => each.name === metadata.name)
  const attributes = (spec.filter?.attributes ?? {}) as Record<string, string>
  const sink = nameOf(spec.delivery?.deadLetterSink)
  return {
    name: metadata.name,
    broker,
    ...readinessOf(trigger),
    filter: Object.entries(attributes).map(([attribute, value]) => ({ attribute, value })),
    subscriber: nameOf(spec.subscriber),
    // A Trigger without a sink of its own uses the Broker's, which only its status names.
    dead_letter_sink: sink ?? hostOf(status?.deadLetterSinkUri),
    backlog: own?.backlog ?? null,
    dead_letters: own?.deadLetters ?? null,
    delivered: own?.delivered ?? null,
  }
}

const nameOf = (destination: { ref?: { name?: string } } | undefined): string | null =>
  destination?.ref?.name ?? null

/** The first part of a URL's host: the name of a Service in a cluster. */
const hostOf = (url: unknown): string | null => /^https?:\/\/([\w-]+)\./.exec(String(url))?.[1] ?? null

const startOf = (start: StartReport): NonNullable<ShownFunction['last_start']> => {
  const { spawnMs, portOpenMs, firstRequestMs } = start
  return {
    total_ms: firstRequestMs === undefined ? null : (spawnMs ?? 0) + (portOpenMs ?? 0) + firstRequestMs,
    ...toPhases(start),
  }
}

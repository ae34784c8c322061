import type { Tools } from '../host/tools.ts'
import { askRuntime } from './ask-runtime.ts'
import type { ShownColdStart, ShownColdStarts, ShownPhase } from './cold-starts-schema.ts'
import { conditionOf, type ClusterObject } from './kubernetes.ts'
import type { PlatformView } from './platform-view.ts'
import { isLocal, toPhases, type StartReport } from './runtime-report.ts'

const SHOWN_MAX = 50

/** What the runtime of a laptop tells of cold starts. */
interface ColdStartsReport {
  starts: { service: string; startedAt: string; idleMs?: number; phases: StartReport }[]
  histograms: {
    boundsMs: number[]
    series: { service: string; phase: ShownPhase; counts: number[] }[]
  }
  bareNodeMs: number | null
}

/** Reads the last cold starts, of one function or of all. On a cluster these are the pods that are still
 * there. Rejects with an UnavailableError if what knows them does not answer. */
export async function readColdStarts(
  tools: Pick<Tools, 'send' | 'config'>,
  { kubernetes }: Pick<PlatformView, 'kubernetes'>,
  only: string | undefined,
): Promise<ShownColdStarts> {
  const isWanted = (service: string): boolean => only === undefined || service === only
  const report = isLocal(tools) ? await askRuntime<ColdStartsReport>(tools, '/cold-starts') : undefined
  if (!report) {
    const starts = (await kubernetes.pods()).flatMap(startOfPod).filter((start) => isWanted(start.function))
    starts.sort((a, b) => b.started_at.localeCompare(a.started_at))
    return {
      ...{ runtime: 'cluster', bare_node_ms: null, starts: starts.slice(0, SHOWN_MAX) },
      ...{ bounds_ms: [], histograms: null },
    }
  }
  const { starts, histograms, bareNodeMs } = report
  return {
    runtime: 'local',
    bare_node_ms: bareNodeMs,
    starts: starts.filter(({ service }) => isWanted(service)).map(startOfProcess),
    bounds_ms: histograms.boundsMs,
    histograms: histograms.series
      .filter(({ service }) => isWanted(service))
      .map(({ service, phase, counts }) => ({ function: service, phase, counts })),
  }
}

function startOfProcess({
  service,
  startedAt,
  idleMs,
  phases,
}: ColdStartsReport['starts'][number]): ShownColdStart {
  const { spawnMs, portOpenMs } = phases
  return {
    function: service,
    started_at: startedAt,
    ready_ms: portOpenMs === undefined ? null : (spawnMs ?? 0) + portOpenMs,
    ...toPhases(phases),
    idle_ms: idleMs ?? null,
  }
}

const SERVICE_LABEL = 'serving.knative.dev/service'
const UNKNOWN = { ...toPhases({}), idle_ms: null }

/** The start of a pod, if it belongs to a function. A container that was restarted says when it became ready
 * again, not how its pod started. */
function startOfPod(pod: ClusterObject): ShownColdStart[] {
  const { labels, creationTimestamp } = pod.metadata
  const service = labels?.[SERVICE_LABEL]
  if (service === undefined || creationTimestamp === undefined) return []
  const ready = conditionOf(pod, 'Ready')
  const containers = (pod.status?.containerStatuses ?? []) as { restartCount?: number }[]
  const isFirst = containers.every(({ restartCount = 0 }) => restartCount === 0)
  const readyAt = ready?.status === 'True' && isFirst ? ready.lastTransitionTime : undefined
  const ready_ms =
    readyAt === undefined ? null : Math.max(0, Date.parse(readyAt) - Date.parse(creationTimestamp))
  return [{ function: service, started_at: creationTimestamp, ready_ms, ...UNKNOWN }]
}

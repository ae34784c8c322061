import { linesWritten } from './log.ts'
import type { Reporter } from './report.ts'
import type { ReadableGauge, ReadGauge, ReportSettings } from './report-settings.ts'
import type { Tallies } from './tallies.ts'

/** What one function process measures. All of it returns at once and never throws. */
export interface Metrics extends Pick<Tallies, 'request' | 'count' | 'observe'> {
  /** Reads a gauge at each report. */
  gauge(name: ReadableGauge, read: ReadGauge): void
  /** Reports the rest, for at most two seconds. */
  stop(): Promise<void>
}

/** For functions that report nothing. */
export const noMetrics: Metrics = {
  request: () => {},
  count: () => {},
  observe: () => {},
  gauge: () => {},
  stop: async () => {},
}

// By then the first answers are out, or the process is one that waits for requests.
const LOAD_AFTER_MS = 2_000
/** What is counted until then is kept. More than this loads the rest at once. */
const KEPT_MAX = 10_000

type TallyMethod = 'request' | 'count' | 'observe'

/** Creates the metrics of one function process, which it reports in the background. What adds up and reports
 * is loaded later, because loading it now would lengthen every cold start. */
export function createMetrics(settings: ReportSettings): Metrics {
  const gauges = new Map<ReadableGauge, ReadGauge>()
  const kept: [TallyMethod, unknown[]][] = []
  let tallies: Tallies | undefined
  let loading: Promise<Reporter> | undefined

  const load = async (): Promise<Reporter> => {
    const { startReporter } = await import('./report.ts')
    const reporter = startReporter({ ...settings, gauges, lines: linesWritten })
    ;({ tallies } = reporter)
    for (const [method, args] of kept.splice(0))
      tallies[method](...(args as [never, never, never, never, never, never, never]))
    return reporter
  }
  const loadOnce = (): void => {
    loading ??= load()
    loading.catch(({ message }: Error) =>
      settings.log.error('metrics cannot be reported', { error: message }),
    )
  }
  const soon = setTimeout(loadOnce, LOAD_AFTER_MS).unref()
  const keep = (method: TallyMethod, args: unknown[]): void => {
    if (kept.push([method, args]) === KEPT_MAX) loadOnce()
  }

  return {
    request: (...args) => (tallies ? tallies.request(...args) : keep('request', args)),
    count: (...args) => (tallies ? tallies.count(...args) : keep('count', args)),
    observe: (...args) => (tallies ? tallies.observe(...args) : keep('observe', args)),
    gauge: (name, read) => void gauges.set(name, read),
    async stop() {
      clearTimeout(soon)
      await (await (loading ??= load())).stop()
    },
  }
}

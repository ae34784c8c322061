import type { Histogram, Registry } from 'prom-client'
import type { Phase } from './cold-start.ts'

export interface ColdStartMetrics {
  observe(service: string, phase: Phase, ms: number): void
  /** The metrics in the Prometheus text format, with its content type. */
  expose(): Promise<{ contentType: string; text: string }>
}

interface LoadedMetrics {
  registry: Registry
  histogram: Histogram
}

/**
 * At most this many phases are kept until the first scrape. The first scrape, or one phase more, loads
 * prom-client.
 */
const KEPT_MAX = 1_000

/** Creates the histogram `microbank_cold_start_seconds`, by Service and phase. */
export function createColdStartMetrics(): ColdStartMetrics {
  const kept: [service: string, phase: Phase, ms: number][] = []
  let loaded: LoadedMetrics | undefined
  let loading: Promise<LoadedMetrics> | undefined

  const load = async (): Promise<LoadedMetrics> => {
    const { default: prom } = await import('prom-client')
    const registry = new prom.Registry()
    const histogram = new prom.Histogram({
      name: 'microbank_cold_start_seconds',
      help: 'Phases of the start of a function process. A first caller waits for spawn, then port-open, then first-request; first-query is a part of a request.',
      labelNames: ['service', 'phase'],
      // The buckets are dense where Node itself starts, at 20 to 100 ms.
      buckets: [0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    })
    loaded = { registry, histogram }
    for (const phase of kept.splice(0)) observe(...phase)
    return loaded
  }

  const observe: ColdStartMetrics['observe'] = (service, phase, ms) => {
    if (loaded) return loaded.histogram.observe({ service, phase }, ms / 1000)
    kept.push([service, phase, ms])
    if (kept.length > KEPT_MAX) void (loading ??= load())
  }

  return {
    observe,
    async expose() {
      const { registry } = await (loading ??= load())
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}

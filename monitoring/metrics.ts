import type { Counter, Histogram, Registry } from 'prom-client'

export interface RequestLabels {
  method: string
  /** The route as declared (`/accounts/{id}`), never the path as sent, so that there are few labels. */
  handler: string
  /** `2xx`, `4xx`, ... */
  status: string
}

export interface Metrics {
  observeRequest(labels: RequestLabels, seconds: number): void
  /** Resolves with the metrics in the Prometheus text format, and its content type. */
  expose(): Promise<{ contentType: string; text: string }>
  close(): void
}

interface Loaded {
  registry: Registry
  requests: Counter
  durations: Histogram
}

// A cold start answers its first requests before prom-client is loaded. Their metrics are kept until then, up
// to this many.
const KEPT_MAX = 10_000
const LOAD_AFTER_MS = 1_000

/** Creates the request metrics of one function process. prom-client is loaded shortly after the first
 * request, because loading it earlier would lengthen every cold start. */
export function createMetrics(service: string): Metrics {
  const kept: { labels: RequestLabels; seconds: number }[] = []
  let loaded: Loaded | undefined
  let loading: Promise<Loaded> | undefined
  let soon: NodeJS.Timeout | undefined

  const load = async (): Promise<Loaded> => {
    const { default: prom } = await import('prom-client')
    const registry = new prom.Registry()
    registry.setDefaultLabels({ service })
    prom.collectDefaultMetrics({ register: registry })
    const labelNames = ['method', 'handler', 'status']
    loaded = {
      registry,
      requests: new prom.Counter({
        name: 'http_requests_total',
        help: 'HTTP requests answered, by method, route and status class.',
        labelNames,
        registers: [registry],
      }),
      durations: new prom.Histogram({
        name: 'http_request_duration_seconds',
        help: 'Time from the first byte of a request to the end of its answer.',
        labelNames,
        buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        registers: [registry],
      }),
    }
    for (const { labels, seconds } of kept.splice(0)) observe(loaded, labels, seconds)
    return loaded
  }

  const observe = ({ requests, durations }: Loaded, labels: RequestLabels, seconds: number): void => {
    requests.inc({ ...labels }, 1)
    durations.observe({ ...labels }, seconds)
  }

  return {
    observeRequest(labels, seconds) {
      if (loaded) return observe(loaded, labels, seconds)
      if (kept.length < KEPT_MAX) kept.push({ labels, seconds })
      if (!loading) soon ??= setTimeout(() => void (loading ??= load()), LOAD_AFTER_MS).unref()
    },
    async expose() {
      const { registry } = await (loading ??= load())
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
    close: () => clearTimeout(soon),
  }
}

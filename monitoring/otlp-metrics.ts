import { instrumentOf, type InstrumentName } from './catalogue.ts'
import { method as methods } from './catalogue/values.ts'
import { Histogram, RequestTally, type ByLabels, type Exemplar, type Tallied } from './tallies.ts'

/** An attribute of OTLP's JSON (https://opentelemetry.io/docs/specs/otlp/). */
export interface OtlpAttribute {
  key: string
  value: { stringValue?: string }
}

/** A point of a counter, a gauge or a histogram. Integers of 64 bits are text in OTLP's JSON. */
export interface OtlpPoint {
  attributes?: OtlpAttribute[]
  startTimeUnixNano?: string
  timeUnixNano: string
  asDouble?: number
  count?: string
  sum?: number
  bucketCounts?: string[]
  explicitBounds?: number[]
  exemplars?: OtlpExemplar[]
}

/** A value that was counted, with the sampled trace that it belongs to. */
export interface OtlpExemplar {
  timeUnixNano: string
  asDouble: number
  traceId: string
}

export interface OtlpMetric {
  name: string
  unit?: string
  sum?: { aggregationTemporality: number; isMonotonic: boolean; dataPoints: OtlpPoint[] }
  histogram?: { aggregationTemporality: number; dataPoints: OtlpPoint[] }
  gauge?: { dataPoints: OtlpPoint[] }
}

/** The body of a report. */
export interface OtlpReport {
  resourceMetrics: {
    resource: { attributes: OtlpAttribute[] }
    scopeMetrics: { scope: { name: string }; metrics: OtlpMetric[] }[]
  }[]
}

/** AGGREGATION_TEMPORALITY_DELTA: what was added since the start time. */
export const DELTA = 1

export interface ReportContent {
  /** Attributes of the process: `service.name`, `service.instance.id`. */
  resource: Readonly<Record<string, string>>
  /** Milliseconds since 1970. The start is the time of the last report. */
  startMs: number
  timeMs: number
  tallied: Tallied
  /** Values by name and labels. */
  gauges: ReadonlyMap<InstrumentName, Readonly<Record<string, number>>>
}

/** Returns a report as the text of an OTLP export. */
export function encodeReport({ resource, startMs, timeMs, tallied, gauges }: ReportContent): string {
  const times = { startTimeUnixNano: nanoseconds(startMs), timeUnixNano: nanoseconds(timeMs) }
  const metrics: OtlpMetric[] = []
  const { counters, histograms } = withRequests(tallied)
  for (const [name, values] of counters)
    metrics.push(
      metric(name, values, (points) => ({ sum: { ...delta(points), isMonotonic: true } }), times, toSum),
    )
  for (const [name, values] of histograms)
    metrics.push(metric(name, values, (points) => ({ histogram: delta(points) }), times, toHistogram))
  for (const [name, values] of gauges)
    metrics.push(
      metric(
        name,
        new Map(Object.entries(values)),
        (dataPoints) => ({ gauge: { dataPoints } }),
        times,
        toSum,
      ),
    )
  const report: OtlpReport = {
    resourceMetrics: [
      {
        resource: { attributes: attributes(resource) },
        scopeMetrics: [{ scope: { name: 'microbank' }, metrics }],
      },
    ],
  }
  return JSON.stringify(report)
}

const nanoseconds = (ms: number): string => `${Math.round(ms)}000000`

const attributes = (values: Readonly<Record<string, string>>): OtlpAttribute[] =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }))

const delta = (dataPoints: OtlpPoint[]) => ({ aggregationTemporality: DELTA, dataPoints })

type Times = Pick<OtlpPoint, 'startTimeUnixNano' | 'timeUnixNano'>

function metric<Value>(
  name: InstrumentName,
  values: ByLabels<Value>,
  wrap: (points: OtlpPoint[]) => Omit<OtlpMetric, 'name'>,
  times: Times,
  toPoint: (value: Value) => Partial<OtlpPoint>,
): OtlpMetric {
  const labels = Object.keys(instrumentOf(name)!.labels).filter((label) => label !== 'service')
  const points = [...values].map(([key, value]) => {
    const parts = key.split(' ')
    return {
      attributes: labels.map((label, i) => ({ key: label, value: { stringValue: parts[i] ?? '' } })),
      ...times,
      ...toPoint(value),
    }
  })
  return { name, ...wrap(points) }
}

const toSum = (asDouble: number): Partial<OtlpPoint> => ({ asDouble })

const toExemplar = ({ traceId, value, atMs }: Exemplar): OtlpExemplar => ({
  timeUnixNano: nanoseconds(atMs),
  asDouble: value,
  traceId,
})

const toHistogram = ({ counts, bounds, sum, exemplars }: Histogram): Partial<OtlpPoint> => ({
  count: String(counts.reduce((all, count) => all + count, 0)),
  sum,
  bucketCounts: Array.from(counts, String),
  explicitBounds: [...bounds],
  ...(exemplars.size > 0 && { exemplars: [...exemplars.values()].map(toExemplar) }),
})

const ERRORS = 'microbank_database_errors_total'

/** Turns counts by SQLSTATE into counts by kind. Processes count an error without one as `lost` if the
 * connection was; else the work threw it, not the database. */
function byKind(errors: ByLabels<number>): ByLabels<number> {
  const kinds = new Map<string, number>()
  for (const [state, count] of errors) {
    const kind = kindOf(state)
    if (kind) kinds.set(kind, (kinds.get(kind) ?? 0) + count)
  }
  return kinds
}

/** Values and rows that a constraint refuses, and errors that the bank's own SQL raises, are no failures. */
const EXPECTED = /^(22|23|MB|$)/
const AWAY = /^(lost|08|25|53|55P03|57|58)/

function kindOf(state: string): string | undefined {
  if (state === '40P01') return 'deadlock'
  if (state === '40001') return 'serialization'
  if (EXPECTED.test(state)) return undefined
  return AWAY.test(state) ? 'unavailable' : 'other'
}

const METHODS: ReadonlySet<string> = new Set(methods)

/** Adds what requests are in the catalogue: their number, durations and sizes. */
function withRequests({ counters, histograms, requests, fine }: Tallied) {
  const all = {
    counters: new Map<InstrumentName, ByLabels<number>>(counters),
    histograms: new Map<InstrumentName, ByLabels<Histogram>>(histograms),
  }
  const errors = counters.get(ERRORS)
  if (errors) all.counters.set(ERRORS, byKind(errors))
  if (requests.size === 0) return all
  const [count, seconds, requestBytes, responseBytes] = [
    new Map<string, number>(),
    new Map<string, Histogram>(),
    new Map<string, Histogram>(),
    new Map<string, Histogram>(),
  ]
  for (const [handler, byMethod] of requests)
    for (const [sent, classes] of byMethod)
      classes.forEach((tally: RequestTally, digit) => {
        const route = `${METHODS.has(sent) ? sent : 'other'} ${handler}`
        const labels = `${route} ${digit}xx`
        const answered = tally.seconds.counts.reduce((sum, one) => sum + one, 0)
        count.set(labels, (count.get(labels) ?? 0) + answered)
        merge(seconds, labels, tally.seconds)
        merge(requestBytes, route, tally.requestBytes)
        merge(responseBytes, route, tally.responseBytes)
      })
  all.counters.set('http_requests_total', count)
  all.histograms.set('http_request_duration_seconds', seconds)
  all.histograms.set('http_request_duration_highr_seconds', new Map([['', fine]]))
  all.histograms.set('http_request_size_bytes', requestBytes)
  all.histograms.set('http_response_size_bytes', responseBytes)
  return all
}

function merge(into: Map<string, Histogram>, labels: string, histogram: Histogram): void {
  const there = into.get(labels)
  if (there) there.add(histogram)
  else into.set(labels, histogram)
}

import { createHash } from 'node:crypto'
import { allows, instrumentOf } from '../catalogue.ts'
import { service as services } from '../catalogue/values.ts'
import {
  DELTA,
  type OtlpAttribute,
  type OtlpExemplar,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpReport,
} from '../otlp-metrics.ts'
import type { Exemplar } from '../tallies.ts'
import type { ProcessGauges } from './gauges.ts'
import { checkLabels, isAmount, reported, type Labels, type Refusal, type Series, type Sums } from './sums.ts'

/** Longer than a process waits before it sends a report again, even if its machine slept for a while. */
const REMEMBER_MS = 3_600_000
/** A thousand processes report less often in that time. */
const REMEMBERED_MAX = 400_000
/** No process has more. */
const GAUGES_PER_REPORT_MAX = 200
/** A clock that is further ahead is wrong. Prometheus keeps no exemplar that is older than the last. */
const AHEAD_MS_MAX = 60_000

interface RefusedPoint {
  name: string
  reason: Refusal
}

/** What became of a report, and why points of it were refused. */
export interface ReportOutcome {
  result: 'taken' | 'repeated'
  refused: RefusedPoint[]
}

/** Thrown for what is no report. */
export class MalformedReportError extends Error {}

/** Takes reports: each once, whatever order they come in. */
export class Reports {
  /** When each was taken, by process, start time and content, oldest first. */
  readonly #taken = new Map<string, number>()
  readonly #sums: Sums
  readonly #gauges: ProcessGauges
  readonly #now: () => number

  constructor(sums: Sums, gauges: ProcessGauges, now: () => number = () => performance.now()) {
    this.#sums = sums
    this.#gauges = gauges
    this.#now = now
  }

  /** Adds a report up. A report is known by its process, its start time and its text: the process sends it
   * unchanged until it has an answer, so one that was taken and comes again counts once. If two processes
   * have one id, both count. Throws a MalformedReportError if it is none; then nothing of it counts. */
  take(text: string): ReportOutcome[] {
    const reports = readReport(text)
    const digest = createHash('sha256').update(text).digest('base64').slice(0, 22)
    return reports.map((report) => this.#takeOne(report, digest))
  }

  #takeOne({ service, instance, start, points }: ProcessReport, digest: string): ReportOutcome {
    this.#forget()
    const key = `${service} ${instance} ${start} ${digest}`
    if (this.#taken.has(key)) return { result: 'repeated', refused: [] }
    this.#taken.set(key, this.#now())
    const refused: RefusedPoint[] = []
    const gauges: (Series<number> & { name: string })[] = []
    for (const { name, kind, labels, point } of points) {
      const refusal = reported.has(name) ? this.#add(name, kind, labels, point) : 'unknown'
      if (refusal) refused.push({ name, reason: refusal })
      else if (kind === 'gauge' && gauges.length >= GAUGES_PER_REPORT_MAX)
        refused.push({ name, reason: 'full' })
      else if (kind === 'gauge') gauges.push({ name, labels, value: point.asDouble! })
    }
    this.#gauges.set(`${service} ${instance}`, gauges)
    return { result: 'taken', refused }
  }

  #add(name: string, kind: PointKind, labels: Labels, point: OtlpPoint): Refusal | undefined {
    if (kind === 'sum') return this.#sums.add(name, labels, point.asDouble ?? NaN)
    if (kind === 'gauge')
      return (
        checkLabels(instrumentOf(name), 'gauge', labels) ??
        // None of what processes measure is below zero.
        (isAmount(point.asDouble ?? NaN) ? undefined : 'value')
      )
    const { explicitBounds, bucketCounts, sum = NaN } = point
    const { buckets = [] } = instrumentOf(name)!
    if (!Array.isArray(explicitBounds) || !Array.isArray(bucketCounts)) return 'value'
    if (explicitBounds.length !== buckets.length || !buckets.every((bound, i) => bound === explicitBounds[i]))
      return 'value'
    // Numbers of 64 bits are strings in OTLP. Number() throws at some objects.
    if (!bucketCounts.every((count) => ['string', 'number'].includes(typeof count))) return 'value'
    const exemplars = exemplarsOf(point, buckets)
    return this.#sums.merge(name, labels, { counts: bucketCounts.map(Number), sum, exemplars })
  }

  #forget(): void {
    const before = this.#now() - REMEMBER_MS
    for (const [key, at] of this.#taken) {
      if (at > before && this.#taken.size < REMEMBERED_MAX) return
      this.#taken.delete(key)
    }
  }
}

/** Returns the exemplars of a point, by their buckets. Malformed ones are left out, because no count depends
 * on them. */
function exemplarsOf({ exemplars = [] }: OtlpPoint, bounds: readonly number[]): Map<number, Exemplar> {
  const found = new Map<number, Exemplar>()
  if (!Array.isArray(exemplars)) return found
  for (const each of exemplars as (Partial<OtlpExemplar> | null)[]) {
    const { traceId, asDouble: value, timeUnixNano } = each ?? {}
    if (typeof traceId !== 'string' || !TRACE.test(traceId) || !isNumber(value)) continue
    if (typeof timeUnixNano !== 'string' || !TIME.test(timeUnixNano)) continue
    const atMs = Number(timeUnixNano) / 1e6
    if (atMs > Date.now() + AHEAD_MS_MAX) continue
    const bucket = bounds.filter((bound) => value! > bound).length
    found.set(bucket, { traceId, value: value!, atMs })
  }
  return found
}

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value)

type PointKind = 'sum' | 'gauge' | 'histogram'

interface ProcessReport {
  service: string
  instance: string
  /** Nanoseconds since 1970. */
  start: string
  points: ReportedPoint[]
}

interface ReportedPoint {
  name: string
  kind: PointKind
  labels: Labels
  point: OtlpPoint
}

/** Reads all of the text before anything counts: whoever sent it may have written anything. */
function readReport(text: string): ProcessReport[] {
  try {
    return (JSON.parse(text) as OtlpReport).resourceMetrics.map(({ resource, scopeMetrics }) => {
      const { 'service.name': service = '', 'service.instance.id': instance = '' } = toLabels(
        resource.attributes,
      )
      const points = scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap((metric) => pointsOf(metric, service)),
      )
      const start = points.find(({ kind }) => kind !== 'gauge')?.point.startTimeUnixNano
      const isNamed = allows(services, service) && INSTANCE.test(instance)
      if (!isNamed || typeof start !== 'string' || !TIME.test(start))
        throw new Error('it lacks a service, an instance or a start time')
      return { service, instance, start, points }
    })
  } catch (error) {
    throw new MalformedReportError(`This is no report as OTLP in JSON: ${(error as Error).message}.`)
  }
}

const TRACE = /^[0-9a-f]{32}$/
const INSTANCE = /^[!-~]{1,100}$/
const TIME = /^[0-9]{1,20}$/

const toLabels = (attributes: readonly OtlpAttribute[] = []): Record<string, string> =>
  Object.fromEntries(
    attributes.map(({ key, value: { stringValue } }) => [
      key,
      typeof stringValue === 'string' ? stringValue : '',
    ]),
  )

/** Throws if the metric is not of a kind that the meter adds up. */
function pointsOf(metric: OtlpMetric, service: string): ReportedPoint[] {
  const { name } = metric
  return (['sum', 'gauge', 'histogram'] as const).flatMap((kind) => {
    const data = metric[kind]
    if (!data) return []
    if (kind !== 'gauge' && (data as { aggregationTemporality?: number }).aggregationTemporality !== DELTA)
      throw new Error(`${name} is not what was added, but a total`)
    return data.dataPoints.map((point) => ({
      ...{ name, kind, point },
      // First, as it is shown, and never that of a point.
      labels: Object.assign({ service }, toLabels(point.attributes), { service }),
    }))
  })
}

import type { Attributes } from '@opentelemetry/api'
import { inTime } from './in-time.ts'
import type { Log } from './log.ts'
import type { SpanExport } from './otlp.ts'
import { samplingRate } from './sampling-rate.ts'
import { isSampled, startSpan, type Span } from './trace.ts'
import { endNow, type EndedSpan, type Work } from './ended-span.ts'

export interface Tracer {
  /** False if spans are not exported: then callers need not make them. */
  readonly isOn: boolean
  /** Starts a span below `traceparent`, or at the root of a new trace. `isStrangers` says whether a stranger
   * may have sent it. Then a trace that is wanted counts as one that begins here: otherwise strangers could
   * fill what keeps the spans. */
  start(traceparent: string | undefined, isStrangers?: () => boolean): Span
  /** Hands over a span whose work ends now. Returns at once and never throws. Only spans of sampled traces
   * are kept. */
  end(span: Span, work: Work): void
  /** Sends the spans that are left, for at most two seconds. */
  stop(): Promise<void>
}

export interface TracingSettings {
  /** Base URL of a collector that takes OTLP over HTTP. */
  endpoint: string
  /** Headers of every request to the collector. */
  headers: Readonly<Record<string, string>>
  /** Where spans for a name of a cluster go if there is none. */
  gateway?: { host: string; port: number } | undefined
  /** Share of the traces that begin here which are sampled, from 0 to 1. */
  ratio: number
  /** Most traces that begin here and are sampled, in a second on average. */
  perSecondMax?: number
  /** Attributes of the process: `service.name` and the like. */
  resource: Attributes
  /** More of them, which are known once the process runs. Read when the first span is sent. */
  facts?: () => Attributes
  log: Log
}

/** A tracer for functions that export no traces. Trace ids are still passed on and logged. */
export const noTracer: Tracer = {
  isOn: false,
  start: (traceparent) => startSpan(traceparent),
  end: () => {},
  stop: async () => {},
}

// Above this many spans that wait for the collector, new ones are dropped.
export const HELD_MAX = 2_048
// Time after the first span before the libraries are loaded, because loading must not lengthen a cold start.
const LOAD_AFTER_MS = 1_000
const STOP_MS_MAX = 2_000
const COMPLAIN_EVERY_MS = 60_000

/** Creates a tracer that exports the spans of one function process in the background. Requests notice
 * nothing, whatever happens to the spans. */
export function createTracer(given: TracingSettings): Tracer {
  const { ratio, log, perSecondMax = 1_000_000, facts, ...settings } = given
  const mayBegin = samplingRate(perSecondMax)
  /** Spans that ended before the libraries were loaded. */
  const early: EndedSpan[] = []
  let held = 0
  let exporting: SpanExport | undefined
  let loading: Promise<void> | undefined
  let soon: NodeJS.Timeout | undefined
  /** Losses since the last log line about them. */
  let lost = { spans: 0, why: '' }
  let silentUntil = 0

  const lose = (spans: number, why: string): void => {
    lost = { spans: lost.spans + spans, why }
    if (performance.now() >= silentUntil) tellLoss()
  }

  const tellLoss = (): void => {
    log.warn('spans are lost', lost)
    lost = { spans: 0, why: '' }
    silentUntil = performance.now() + COMPLAIN_EVERY_MS
  }

  const settled = (count: number, error: Error | undefined): void => {
    held -= count
    if (error) lose(count, error.message)
  }

  const load = async (): Promise<void> => {
    clearTimeout(soon)
    const { createSpanExport } = await import('./otlp.ts')
    const resource = { ...settings.resource, ...facts?.() }
    exporting = createSpanExport({ ...settings, resource, heldMax: HELD_MAX, settled })
    for (const ended of early.splice(0)) exporting.add(ended)
  }

  const loadOnce = (): Promise<void> =>
    (loading ??= load().catch((error: Error) =>
      log.error('traces cannot be exported', { error: error.message }),
    ))

  const finish = async (): Promise<void> => {
    await loadOnce()
    await exporting?.stop()
  }

  return {
    isOn: true,
    start(traceparent, isStrangers) {
      const span = startSpan(traceparent, ratio)
      if (!isSampled(span)) return span
      const begins = span.parentSpanId === undefined || isStrangers?.() === true
      return begins && !mayBegin() ? { ...span, traceFlags: 0 } : span
    },
    end(span, work) {
      if (!isSampled(span)) return
      if (held >= HELD_MAX) return lose(1, `${HELD_MAX} wait for the collector`)
      held++
      const ended = endNow(span, work)
      if (exporting) return exporting.add(ended)
      early.push(ended)
      soon ??= setTimeout(() => void loadOnce(), LOAD_AFTER_MS).unref()
    },
    async stop() {
      if (held > 0) await inTime(STOP_MS_MAX, finish())
      if (held > 0) lose(held, 'the collector had not taken them when the process stopped')
      if (lost.spans > 0) tellLoss()
    },
  }
}

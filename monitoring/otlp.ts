import { SpanKind, SpanStatusCode, type Attributes, type HrTime } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources'
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace'
import type { EndedSpan } from './ended-span.ts'

/** Sends spans with OpenTelemetry's libraries. tracer.ts loads this file when there is a span to send. */
export interface SpanExport {
  add(ended: EndedSpan): void
  /** Sends the spans that are left. Resolves when the collector has answered. */
  stop(): Promise<void>
}

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const

/** ExportResultCode.SUCCESS, whose package is not imported for one number. */
const EXPORTED = 0
// Time for one batch, including the exporter's repeats while the collector is away.
const TIMEOUT_MS = 5_000
// Longest time that a span waits for its batch. A process that is killed loses at most the spans of this
// time.
const WAIT_MS = 1_000

/** Creates an export that sends spans in batches to `<endpoint>/v1/traces`, as JSON. It reports each batch to
 * `settled`. */
export function createSpanExport(options: {
  endpoint: string
  headers: Readonly<Record<string, string>>
  /** Where spans for a name of a cluster go if there is none. */
  gateway?: { host: string; port: number } | undefined
  resource: Attributes
  /** Most spans that are handed over and not settled yet. */
  heldMax: number
  settled: (count: number, error: Error | undefined) => void
}): SpanExport {
  const { settled, heldMax } = options
  const resource = resourceFromAttributes(options.resource)
  const collector = new OTLPTraceExporter({ ...addressOf(options), timeoutMillis: TIMEOUT_MS })
  const exporter: SpanExporter = {
    export: (spans, done) =>
      collector.export(spans, ({ code, error = new Error('the collector refused them') }) => {
        settled(spans.length, code === EXPORTED ? undefined : error)
        // The processor could only report the failure once more.
        done({ code: EXPORTED })
      }),
    shutdown: () => collector.shutdown(),
  }
  const processor = new BatchSpanProcessor({ exporter, maxQueueSize: heldMax, scheduledDelayMillis: WAIT_MS })
  return {
    add: (ended) => processor.onEnd(toReadableSpan(ended, resource)),
    stop: () => processor.shutdown(),
  }
}

/** Headers of collectors may hold keys, so they only go where the endpoint leads. */
function addressOf({ endpoint, headers, gateway }: Parameters<typeof createSpanExport>[0]) {
  const url = new URL(`${endpoint.replace(/\/$/, '')}/v1/traces`)
  if (!gateway || !url.hostname.endsWith('.cluster.local')) return { url: url.href, headers: { ...headers } }
  return { url: `http://${gateway.host}:${gateway.port}${url.pathname}`, headers: { host: url.host } }
}

const SCOPE = { name: 'microbank' }

/** Longest text of an attribute, in characters. A stranger may send a path of 15 kB, and what keeps spans
 * keeps it several times. */
const TEXT_MAX = 500

const shortened = (attributes: Attributes): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.slice(0, TEXT_MAX) : value,
    ]),
  )

function toReadableSpan({ span, work, endedAt, milliseconds }: EndedSpan, resource: Resource): ReadableSpan {
  const { parentSpanId, ...context } = span
  const { name, kind, attributes, error, links = [] } = work
  return {
    name,
    kind: KINDS[kind],
    spanContext: () => context,
    ...(parentSpanId !== undefined && { parentSpanContext: { ...context, spanId: parentSpanId } }),
    startTime: toHrTime(endedAt - milliseconds),
    endTime: toHrTime(endedAt),
    duration: toHrTime(milliseconds),
    ended: true,
    status: { code: error === undefined ? SpanStatusCode.UNSET : SpanStatusCode.ERROR },
    attributes: shortened(error === undefined ? attributes : { ...attributes, 'error.type': error }),
    links: links.map((linked) => ({ context: linked })),
    events: [],
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function toHrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1_000)
  return [seconds, Math.round((milliseconds - seconds * 1_000) * 1e6)]
}

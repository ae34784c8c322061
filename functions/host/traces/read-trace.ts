import type { OtlpSpan, OtlpTraces, SpanAttribute } from '../../../monitoring/meter/kept-spans.ts'
import type { Tools } from '../tools.ts'

type SpanValues = Readonly<Record<string, string | number | boolean>>

/** A span as it is looked at. Times are in milliseconds since 1970, with fractions. */
export interface TraceSpan {
  spanId: string
  parentSpanId: string | undefined
  name: string
  kind: 'server' | 'client' | 'producer' | 'consumer' | 'internal'
  startMs: number
  endMs: number
  attributes: SpanValues
  /** Attributes of the process that made it. */
  process: SpanValues
  /** The spans that it has a link to. */
  links: readonly string[]
  isError: boolean
}

/** Whether spans were found: 'found'; 'none', because the trace was not sampled, or is forgotten; 'not-kept',
 * because nothing here keeps spans; 'away', because what keeps them does not answer. */
export const tracesAre = ['found', 'none', 'not-kept', 'away'] as const

export interface ReadTrace {
  is: (typeof tracesAre)[number]
  spans: readonly TraceSpan[]
}

const TIMEOUT_MS = 2_000

/** Reads the spans of a trace, oldest first. Never rejects: what is told of a trace must work without. */
export async function readTrace(
  traceId: string | null,
  { send, config, log }: Pick<Tools, 'send' | 'config' | 'log'>,
): Promise<ReadTrace> {
  if (!config.TRACES_URL) return { is: 'not-kept', spans: [] }
  if (traceId === null) return { is: 'none', spans: [] }
  try {
    const url = config.TRACES_URL + traceId
    const { status, body } = await send({ url, method: 'GET', timeoutMs: TIMEOUT_MS })
    // So Jaeger answers if it has no span of the trace.
    if (status === 404) return { is: 'none', spans: [] }
    if (status !== 200) throw new Error(`status ${status}`)
    const told = JSON.parse(body.toString()) as OtlpTraces & { result?: OtlpTraces }
    // Jaeger wraps what it tells.
    const spans = toSpans(told.result ?? told)
    return { is: spans.length > 0 ? 'found' : 'none', spans }
  } catch (error) {
    log.warn('the spans of a trace could not be read', { error: (error as Error).message })
    return { is: 'away', spans: [] }
  }
}

const toSpans = ({ resourceSpans }: OtlpTraces): TraceSpan[] =>
  resourceSpans
    .flatMap(({ resource, scopeSpans }) => {
      const process = toValues(resource.attributes)
      return scopeSpans.flatMap(({ spans }) => spans.map((span) => toSpan(span, process)))
    })
    .sort((a, b) => a.startMs - b.startMs)

const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const

const toSpan = (span: OtlpSpan, process: SpanValues): TraceSpan => ({
  ...{ spanId: span.spanId, parentSpanId: span.parentSpanId || undefined, name: span.name, process },
  kind: KINDS[span.kind] ?? 'internal',
  startMs: toMs(span.startTimeUnixNano),
  endMs: toMs(span.endTimeUnixNano),
  attributes: toValues(span.attributes),
  links: (span.links ?? []).map(({ spanId }) => spanId),
  isError: span.status?.code === 2,
})

/** Microseconds are as fine as a number can hold them. */
const toMs = (nanoseconds: string): number => Number(BigInt(nanoseconds) / 1_000n) / 1_000

const toValues = (attributes: readonly SpanAttribute[] = []): SpanValues =>
  Object.fromEntries(
    attributes.map(({ key, value }) => {
      const { stringValue, intValue, doubleValue, boolValue } = value
      return [key, stringValue ?? boolValue ?? Number(intValue ?? doubleValue)]
    }),
  )

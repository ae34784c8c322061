import type { Attributes } from '@opentelemetry/api'
import { endNow, type EndedSpan } from '../ended-span.ts'
import { isSampled, startSpan } from '../trace.ts'
import type { Tracer } from '../tracer.ts'
import type { KeptSpans, OtlpSpan, OtlpTraces, SpanAttribute } from './kept-spans.ts'

/** Creates a tracer that keeps its spans in this process, for the one that has the meter. */
export const createKeptTracer = (kept: Pick<KeptSpans, 'take'>, resource: Attributes): Tracer => ({
  isOn: true,
  start: (traceparent) => startSpan(traceparent),
  end(span, work) {
    if (!isSampled(span)) return
    const traces: OtlpTraces = {
      resourceSpans: [
        { resource: { attributes: toList(resource) }, scopeSpans: [{ spans: [toOtlp(endNow(span, work))] }] },
      ],
    }
    kept.take(JSON.stringify(traces))
  },
  stop: async () => {},
})

const KINDS = { server: 2, client: 3, producer: 4, consumer: 5 } as const
const ERROR = 2

function toOtlp({ span, work, endedAt, milliseconds }: EndedSpan): OtlpSpan {
  const { name, kind, attributes, error, links = [] } = work
  return {
    ...{ traceId: span.traceId, spanId: span.spanId, name, kind: KINDS[kind] },
    ...(span.parentSpanId && { parentSpanId: span.parentSpanId }),
    startTimeUnixNano: nanoseconds(endedAt - milliseconds),
    endTimeUnixNano: nanoseconds(endedAt),
    attributes: toList(error === undefined ? attributes : { ...attributes, 'error.type': error }),
    links: links.map(({ traceId, spanId }) => ({ traceId, spanId })),
    status: { code: error === undefined ? 0 : ERROR },
  }
}

const nanoseconds = (ms: number): string => String(BigInt(Math.round(ms * 1_000)) * 1_000n)

const toList = (attributes: Attributes): SpanAttribute[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: toValue(value) }))

function toValue(value: Attributes[string]): SpanAttribute['value'] {
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value !== 'number') return { stringValue: String(value) }
  return Number.isInteger(value) ? { intValue: value } : { doubleValue: value }
}

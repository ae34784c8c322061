import type { SpanContext } from '@opentelemetry/api'
import { randomHex } from './random.ts'

/** A span: the ids of its trace, of itself and of its parent (undefined at the root of a trace). */
export interface Span extends SpanContext {
  parentSpanId: string | undefined
}

const SAMPLED = 1
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/

/** Starts a span: a child of the traceparent that came in, or the root of a new trace if none came or it was
 * malformed (W3C Trace Context, section 4.3). The root decides by the trace's id whether the trace is
 * sampled, so that `ratio` of all traces are. */
export function startSpan(traceparent: string | undefined, ratio = 1): Span {
  const [, parentTraceId, parentSpanId, flags] = (traceparent && TRACEPARENT.exec(traceparent)) || []
  const traceId = parentTraceId ?? randomHex(32)
  return {
    traceId,
    spanId: randomHex(16),
    traceFlags: flags === undefined ? chosen(traceId, ratio) : Number.parseInt(flags, 16) & SAMPLED,
    parentSpanId,
  }
}

const chosen = (traceId: string, ratio: number): number =>
  ratio >= 1 || Number.parseInt(traceId.slice(-8), 16) < ratio * 2 ** 32 ? SAMPLED : 0

export const isSampled = ({ traceFlags }: Pick<SpanContext, 'traceFlags'>): boolean =>
  (traceFlags & SAMPLED) !== 0

/** Returns the W3C traceparent of a span: `00-<32 hex>-<16 hex>-<2 hex>`. */
export const formatTraceparent = (span: SpanContext): string =>
  `00-${span.traceId}-${span.spanId}-${isSampled(span) ? '01' : '00'}`

/** Returns whether a traceparent belongs to a sampled trace. */
export const isSampledTrace = (traceparent: string): boolean =>
  isSampled(parseTraceparent(traceparent) ?? { traceFlags: 0 })

/** Returns the span that a traceparent names; undefined if it is malformed. */
export function parseTraceparent(traceparent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? []
  if (!traceId || !spanId) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags!, 16), isRemote: true }
}

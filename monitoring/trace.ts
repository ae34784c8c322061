import type { SpanContext } from '@opentelemetry/api'
import { randomHex } from './random.ts'

/** Where a piece of work stands: its trace, itself, and what it belongs to (undefined at the root of a
 * trace). */
export interface Span extends SpanContext {
  parentSpanId: string | undefined
}

const SAMPLED = 1
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/

/** The span of this piece of work: a child of the traceparent that came in, or the root of a new trace where
 * none came or it was malformed (W3C Trace Context, section 4.3). Whether a trace is sampled is decided at
 * its root, by its id, so that `ratio` of all are. */
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

/** W3C traceparent of a span: `00-<32 hex>-<16 hex>-<2 hex>`. */
export const formatTraceparent = (span: SpanContext): string =>
  `00-${span.traceId}-${span.spanId}-${isSampled(span) ? '01' : '00'}`

/** Whether a traceparent is one of a sampled trace. */
export const isSampledTrace = (traceparent: string): boolean =>
  isSampled(parseTraceparent(traceparent) ?? { traceFlags: 0 })

/** The span that a traceparent names; undefined for what is none. */
export function parseTraceparent(traceparent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? []
  if (!traceId || !spanId) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags!, 16), isRemote: true }
}

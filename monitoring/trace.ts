import { randomBytes } from 'node:crypto'
import { isSpanContextValid, TraceFlags, type SpanContext } from '@opentelemetry/api'

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/

/** The span of this piece of work: a child of the traceparent that came in, or the root of a new trace where
 * none came or it was malformed (W3C Trace Context, section 4.3). */
export function startSpan(traceparent: string | undefined): SpanContext {
  const parent = traceparent ? parseTraceparent(traceparent) : undefined
  return {
    traceId: parent?.traceId ?? randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    traceFlags: parent?.traceFlags ?? TraceFlags.SAMPLED,
  }
}

/** W3C traceparent of a span: `00-<32 hex>-<16 hex>-<2 hex>`. */
export const formatTraceparent = (span: SpanContext): string =>
  `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`

function parseTraceparent(traceparent: string): SpanContext | undefined {
  const match = TRACEPARENT.exec(traceparent)
  if (!match || traceparent.startsWith('ff')) return undefined
  const [, traceId = '', spanId = '', flags = '00'] = match
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED }
  return isSpanContextValid(context) ? context : undefined
}

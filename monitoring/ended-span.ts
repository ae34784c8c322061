import type { Attributes, SpanContext } from '@opentelemetry/api'
import type { Span } from './trace.ts'

/** The work that a span covers. Names and attributes: https://opentelemetry.io/docs/specs/semconv/ */
export interface Work {
  name: string
  kind: 'server' | 'client' | 'producer' | 'consumer'
  /** Start, by performance.now(). */
  startedAt: number
  attributes: Attributes
  /** Set if the work failed: the reason in a word (the code of an error, a status). */
  error?: string | undefined
  /** Spans besides the parent that the work was done for. */
  links?: readonly SpanContext[]
}

/** A span that ended at `endedAt` (ms since 1970) and took `milliseconds`. */
export interface EndedSpan {
  span: Span
  work: Work
  endedAt: number
  milliseconds: number
}

/** Ends a span now. */
export const endNow = (span: Span, work: Work): EndedSpan => ({
  ...{ span, work, endedAt: epochMs() },
  milliseconds: performance.now() - work.startedAt,
})

let origin = performance.timeOrigin

/** Returns milliseconds since 1970 with fractions, which Date.now() lacks. */
function epochMs(): number {
  const now = performance.now()
  // The clock behind performance.now() stands still while a laptop sleeps.
  if (Math.abs(origin + now - Date.now()) > 100) origin = Date.now() - now
  return origin + now
}

import type { Attributes, SpanContext } from '@opentelemetry/api'
import type { Span } from './trace.ts'

/** What was done within a span. Names and attributes: https://opentelemetry.io/docs/specs/semconv/ */
export interface Work {
  name: string
  kind: 'server' | 'client' | 'producer' | 'consumer'
  /** As performance.now() gave it. */
  startedAt: number
  attributes: Attributes
  /** Set where it failed: what went wrong, in a word (an error's code, a status). */
  error?: string | undefined
  /** Spans that it was done for besides its parent. */
  links?: readonly SpanContext[]
}

/** A span that has ended, at `endedAt` (ms since 1970) after `milliseconds`. */
export interface EndedSpan {
  span: Span
  work: Work
  endedAt: number
  milliseconds: number
}

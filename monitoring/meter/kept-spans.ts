import type { OtlpAttribute } from '../otlp-metrics.ts'
import { MalformedReportError } from './receive.ts'

/** A span in OTLP's JSON (https://opentelemetry.io/docs/specs/otlp/). */
export interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  /** 2: server, 3: client, 4: producer, 5: consumer. */
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes?: SpanAttribute[]
  links?: { traceId: string; spanId: string }[]
  /** 2 means an error. */
  status?: { code?: number }
}

export interface SpanAttribute {
  key: string
  value: OtlpAttribute['value'] & { intValue?: number | string; doubleValue?: number; boolValue?: boolean }
}

/** Spans as they are exported, and as they are given out. */
export interface OtlpTraces {
  resourceSpans: {
    resource: { attributes: SpanAttribute[] }
    scopeSpans: { spans: OtlpSpan[] }[]
  }[]
}

const SPANS_MAX = 10_000
const BYTES_MAX = 8 * 1024 * 1024
const SPAN_BYTES_MAX = 16 * 1024

/** The last spans that came, each as text. The oldest give way to new ones. */
export class KeptSpans {
  /** By the order in which they came. */
  readonly #spans = new Map<number, { traceId: string; text: string }>()
  /** The numbers of each trace's spans. */
  readonly #byTrace = new Map<string, Set<number>>()
  readonly #spansMax: number
  readonly #bytesMax: number
  #bytes = 0
  #next = 0

  constructor({ spansMax = SPANS_MAX, bytesMax = BYTES_MAX } = {}) {
    this.#spansMax = spansMax
    this.#bytesMax = bytesMax
  }

  /** Takes an export: OTLP in JSON. Returns the number of spans that are too large to be kept. Throws a
   * MalformedReportError; then none of them is kept. */
  take(text: string): number {
    const read = readSpans(text)
    const kept = read.filter((span) => this.#keep(span))
    return read.length - kept.length
  }

  /** Returns the spans of a trace that are still there, as OTLP in JSON. */
  trace(traceId: string): string {
    const numbers = [...(this.#byTrace.get(traceId) ?? [])]
    return `{"resourceSpans":[${numbers.map((n) => this.#spans.get(n)!.text).join()}]}`
  }

  #keep({ traceId, text }: ReadSpan): boolean {
    if (text.length > SPAN_BYTES_MAX) return false
    const n = this.#next++
    this.#spans.set(n, { traceId, text })
    this.#byTrace.set(traceId, (this.#byTrace.get(traceId) ?? new Set()).add(n))
    this.#bytes += bytesOf(text)
    while (this.#spans.size > this.#spansMax || this.#bytes > this.#bytesMax) this.#forgetOldest()
    return true
  }

  #forgetOldest(): void {
    const [[n, { traceId, text }]] = this.#spans as unknown as [[number, ReadSpan]]
    this.#spans.delete(n)
    this.#bytes -= bytesOf(text)
    const ofTrace = this.#byTrace.get(traceId)!
    ofTrace.delete(n)
    if (ofTrace.size === 0) this.#byTrace.delete(traceId)
  }
}

/** V8 keeps two bytes of a character, if it must. */
const bytesOf = (text: string): number => text.length * 2

interface ReadSpan {
  traceId: string
  text: string
}

/** Reads all of the text before anything is kept: whoever sent it may have written anything. */
function readSpans(text: string): ReadSpan[] {
  try {
    return (JSON.parse(text) as OtlpTraces).resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const from = { attributes: attributesOf(resource.attributes) }
      return scopeSpans.flatMap(({ spans }) =>
        spans.map((span) => {
          const own = readSpan(span)
          return {
            traceId: own.traceId,
            text: JSON.stringify({ resource: from, scopeSpans: [{ spans: [own] }] }),
          }
        }),
      )
    })
  } catch (error) {
    throw new MalformedReportError(`These are no spans as OTLP in JSON: ${(error as Error).message}.`)
  }
}

function readSpan(span: OtlpSpan): OtlpSpan {
  const { traceId, spanId, parentSpanId, name, kind, startTimeUnixNano: start, endTimeUnixNano: end } = span
  const times = [start, end].map(String)
  if (!TRACE_ID.test(traceId) || !SPAN_ID.test(spanId) || !times.every((time) => TIME.test(time)))
    throw new Error('a span lacks its ids or its times')
  const parent = parentSpanId && SPAN_ID.test(parentSpanId) ? { parentSpanId } : {}
  return {
    ...{ traceId, spanId, ...parent, name: String(name), kind: Number(kind) },
    ...{ startTimeUnixNano: times[0]!, endTimeUnixNano: times[1]! },
    attributes: attributesOf(span.attributes),
    links: (span.links ?? []).map((link) => ({
      traceId: String(link.traceId),
      spanId: String(link.spanId),
    })),
    status: { code: Number(span.status?.code ?? 0) },
  }
}

const TRACE_ID = /^[0-9a-f]{32}$/
const SPAN_ID = /^[0-9a-f]{16}$/
const TIME = /^[0-9]{1,20}$/

const attributesOf = (attributes: readonly SpanAttribute[] = []): SpanAttribute[] =>
  attributes.map(({ key, value }) => ({ key: String(key), value }))

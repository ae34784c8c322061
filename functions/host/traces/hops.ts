import type { TraceSpan } from './read-trace.ts'

/** What a hop is:
 * - 'cold-start': a request or an event waits for a process that starts for it
 * - 'wait': it waits for a process, in a queue, or for the next attempt
 * - 'work': a function handles a request or an event
 * - 'call': a function calls another
 * - 'sql': a statement or transaction of a database
 * - 'publish': a function gives an event to the Broker
 * - 'attempt': the Broker delivers an event */
export const hopKinds = ['cold-start', 'wait', 'work', 'call', 'sql', 'publish', 'attempt'] as const
export type HopKind = (typeof hopKinds)[number]

/** A bar in the life of a request. */
export interface TraceHop {
  kind: HopKind
  /** Where it happens: a function, `<context>-db`, `broker`, or `trigger:<name>` for deliveries. */
  lane: string
  /** The function that works, or that is waited for; `broker` for the Broker. */
  service: string
  name: string
  /** Milliseconds since 1970, with fractions. */
  startMs: number
  ms: number
  /** Number of the attempt to deliver, from 1. */
  attempt: number | null
  /** Status of the answer; -1 if none came. */
  status: number | null
  error: string | null
  /** When it is tried again; milliseconds since 1970. */
  nextAttemptMs: number | null
  /** Of a cold start: milliseconds from the start of Node to the open port. */
  bootMs: number | null
  /** The event that is published, delivered or processed. */
  eventId: string | null
  /** Memory of the process, if it is known. */
  memoryBytes: number | null
}

/** A shorter wait is the way itself. */
const WAIT_MS_MIN = 1

/** Returns the hops that the spans of a trace show, in the order in which they begin. */
export function hopsOf(spans: readonly TraceSpan[]): TraceHop[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  const hops = spans.flatMap((span) => {
    const lead = isHandled(span) ? leadOf(span, causeOf(span, byId)) : undefined
    return [...(lead ? [lead] : []), toHop(span)]
  })
  // What causes others is the longer one.
  return [...hops, ...waitsOf(hops)].sort((a, b) => a.startMs - b.startMs || b.ms - a.ms)
}

const isHandled = ({ kind }: TraceSpan): boolean => kind === 'server' || kind === 'consumer'

const serviceOf = ({ process }: TraceSpan): string => String(process['service.name'] ?? 'unknown')

/** The attempt that brought an event, or whoever called. */
function causeOf(span: TraceSpan, byId: ReadonlyMap<string, TraceSpan>): TraceSpan | undefined {
  if (span.kind === 'server') return span.parentSpanId ? byId.get(span.parentSpanId) : undefined
  return span.links.map((id) => byId.get(id)).find((linked) => linked !== undefined)
}

/** Clocks of one machine agree to a millisecond or two. */
const CLOCKS_DIFFER_MS = 5
/** A first request that comes later than this after the port was opened has not waited for it. */
const HELD_MS_MAX = 100

/** Returns what a request or an event waited for before a function had it. */
function leadOf(span: TraceSpan, cause: TraceSpan | undefined): TraceHop | undefined {
  const created = Date.parse(String(span.process['process.creation.time'] ?? ''))
  const bootMs = Number(span.process['microbank.port_open_ms'] ?? NaN)
  const openedAt = created + bootMs
  const isFirst = span.attributes['faas.coldstart'] === true
  const from = cause?.startMs ?? created
  const isCold = cause
    ? isFirst && openedAt >= cause.startMs - CLOCKS_DIFFER_MS
    : isFirst && span.startMs - openedAt < HELD_MS_MAX
  if (!isCold && (!cause || span.startMs - from < WAIT_MS_MIN)) return undefined
  const service = serviceOf(span)
  return {
    ...hop({ kind: isCold ? 'cold-start' : 'wait', lane: service, service, name: service }),
    ...{ startMs: from, ms: Math.max(0, span.startMs - from), bootMs: isCold ? bootMs : null },
    memoryBytes: memoryOf(span),
  }
}

const hop = (known: Pick<TraceHop, 'kind' | 'lane' | 'service' | 'name'>) => ({
  ...known,
  ...{ attempt: null, status: null, error: null, nextAttemptMs: null, bootMs: null, eventId: null },
  memoryBytes: null,
})

const memoryOf = ({ process }: TraceSpan): number | null =>
  Number(process['microbank.memory_bytes'] ?? 0) || null

function toHop(span: TraceSpan): TraceHop {
  const { attributes, name, startMs, endMs, isError } = span
  const kind = kindOf(span)
  const service = serviceOf(span)
  const next = attributes['microbank.next_attempt_ms']
  return {
    ...hop({ kind, service, name, lane: laneOf(span, kind) }),
    ...{ startMs, ms: Math.max(0, endMs - startMs) },
    attempt: kind === 'attempt' ? Number(attributes['microbank.attempt'] ?? 1) : null,
    status: Number(attributes['http.response.status_code'] ?? 0) || null,
    error: isError ? String(attributes['error.type'] ?? 'failed') : null,
    nextAttemptMs: next === undefined ? null : endMs + Number(next),
    eventId:
      attributes['cloudevents.event_id'] === undefined ? null : String(attributes['cloudevents.event_id']),
    memoryBytes: kind === 'work' ? memoryOf(span) : null,
  }
}

function kindOf({ kind, attributes }: TraceSpan): HopKind {
  if (attributes['messaging.operation.name'] === 'deliver') return 'attempt'
  if (attributes['db.system.name'] !== undefined) return 'sql'
  if (kind === 'producer') return 'publish'
  return kind === 'client' ? 'call' : 'work'
}

function laneOf(span: TraceSpan, kind: HopKind): string {
  if (kind === 'attempt')
    return `trigger:${String(span.attributes['messaging.destination.subscription.name'])}`
  if (kind === 'publish') return 'broker'
  return kind === 'sql' ? `${String(span.process['microbank.context'])}-db` : serviceOf(span)
}

/** Returns the waits in a queue: before the first attempt to deliver an event, and between two. */
function waitsOf(hops: readonly TraceHop[]): TraceHop[] {
  const attempts = hops.filter(({ kind }) => kind === 'attempt')
  const ways = new Map<string, TraceHop[]>()
  for (const attempt of attempts) {
    const way = `${attempt.lane} ${attempt.eventId}`
    ways.set(way, [...(ways.get(way) ?? []), attempt])
  }
  return [...ways.values()].flatMap((way) => {
    const [first] = way as [TraceHop]
    const published = hops.find(({ kind, eventId }) => kind === 'publish' && eventId === first.eventId)
    const ends = [published, ...way].map((one) => (one ? one.startMs + one.ms : undefined))
    return way.flatMap((attempt, n): TraceHop[] => {
      const from = ends[n]
      if (from === undefined || attempt.startMs - from < WAIT_MS_MIN) return []
      const { lane, service, eventId } = attempt
      const name = n === 0 ? 'queue' : 'retry'
      return [
        {
          ...hop({ kind: 'wait', lane, service, name }),
          ...{ startMs: from, ms: attempt.startMs - from, eventId },
        },
      ]
    })
  })
}

import { orNull } from '../schema.ts'
import { hopKinds, type TraceHop } from './hops.ts'

const number = { type: 'number' } as const
const text = { type: 'string' } as const
const moment = { type: 'string', format: 'date-time' } as const

const properties = {
  kind: { enum: hopKinds },
  lane: {
    ...text,
    description: 'Where: a function, `<context>-db`, `broker`, or `trigger:<name>` for deliveries.',
  },
  service: text,
  name: text,
  started_at: moment,
  at_ms: { ...number, description: 'Milliseconds after the first hop.' },
  ms: number,
  attempt: orNull({ type: 'integer' }),
  status: orNull({ type: 'integer' }),
  error: orNull(text),
  next_attempt_at: orNull(moment),
  boot_ms: {
    type: ['number', 'null'],
    description: 'Of a cold start: from the start of Node to the open port.',
  },
  event_id: orNull(text),
} as const

/** A bar in the life of a transaction or an event. */
export const hopSchema = {
  title: 'Hop',
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties) as (keyof typeof properties)[],
  properties,
} as const

/** Returns hops as the API shows them. */
export function toHopList(hops: readonly TraceHop[]) {
  const beginMs = hops[0]?.startMs ?? 0
  return hops.map(({ startMs, ms, nextAttemptMs, bootMs, eventId, memoryBytes: _memory, ...same }) => ({
    ...same,
    started_at: new Date(startMs).toISOString(),
    at_ms: rounded(startMs - beginMs),
    ms: rounded(ms),
    next_attempt_at: nextAttemptMs === null ? null : new Date(nextAttemptMs).toISOString(),
    boot_ms: bootMs,
    event_id: eventId,
  }))
}

/** To a microsecond. */
export const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000

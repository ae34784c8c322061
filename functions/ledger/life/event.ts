import { sourceOf } from '../../../eventing/contracts/contract.ts'
import type { Database } from '../../host/database/database.ts'
import type { TraceHop } from '../../host/traces/hops.ts'
import { rounded } from '../../host/traces/hop-schema.ts'
import type { KnownOfEvent } from './told.ts'

/** The source of the ledger's own events. */
export const LEDGER = sourceOf({ context: 'ledger' })

/** An event, as the ledger knows it. */
export interface EventRow {
  type: string
  subject: string
  time: Date
  trace_id: string | null
  /** Whether the outbox has a row of it. Otherwise it follows from the row of what it tells. */
  is_row: boolean
  /** Attempts to publish it; null if it is published. */
  publishing_attempts: number | null
}

/** Reads an event of the ledger by its id, a UUID. */
export async function findEvent(db: Database, id: string): Promise<EventRow | undefined> {
  const [row] = await db.query<EventRow>({
    name: 'event-find',
    text: `select e.type, e.subject, e.time,
        coalesce(substr(e.traceparent, 4, 32), (
          select replace(t.trace_id::text, '-', '') from transactions t
          where t.id = any (fact_ids_of(array[$1::uuid]))
        )) as trace_id,
        exists (select from outbox o where o.id = $1) as is_row,
        (select max(p.attempts) from outbox_pending p where $1 = any (p.event_ids)) as publishing_attempts
      from events_by_id(array[$1::uuid]) e`,
    values: [id],
  })
  return row
}

/** Returns what is known of the event itself. Of another context's it is what its consumers saw. */
export function toEvent(
  { id, source }: { id: string; source: string },
  row: EventRow | undefined,
  told: KnownOfEvent | undefined,
) {
  const { type, subject } = row ?? {
    type: told?.notifications[0]?.event_type ?? told?.dead_letters[0]?.event_type ?? null,
    subject: told?.notifications[0]?.subject ?? null,
  }
  const time = row?.time.toISOString() ?? null
  return {
    ...{ id, source, type, subject, time },
    transaction_id: row?.type.startsWith('transaction.') ? row.subject : null,
    stored: row ? ({ context: 'ledger', as: row.is_row ? 'event' : 'fact' } as const) : null,
  }
}

/** Returns whether the Broker has the event, and since when, which only spans know. */
export function publishedOf(
  row: Pick<EventRow, 'publishing_attempts'> | undefined,
  hops: readonly TraceHop[],
) {
  const sent = hops.find(({ kind, error }) => kind === 'publish' && error === null)
  const attempts = row?.publishing_attempts ?? null
  // Whoever knows of an event that the ledger has not stored got it from the Broker.
  const state = attempts === null ? ('done' as const) : ('waiting' as const)
  return { state, at: sent ? new Date(sent.startMs + sent.ms).toISOString() : null, attempts }
}

/** Returns the attempts to deliver an event, in the order in which they began. */
export const deliveriesOf = (hops: readonly TraceHop[]) =>
  hops
    .filter(({ kind }) => kind === 'attempt')
    .map(({ lane, attempt, startMs, ms, status, error, nextAttemptMs }) => ({
      ...{ trigger: lane.slice('trigger:'.length), attempt: attempt ?? 1, ms: rounded(ms), status, error },
      at: new Date(startMs).toISOString(),
      next_attempt_at: nextAttemptMs === null ? null : new Date(nextAttemptMs).toISOString(),
    }))

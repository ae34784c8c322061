import type { Database, Transaction } from '../knative/host/database.ts'
import { UnavailableError } from '../knative/host/problems.ts'
import type { Send } from '../knative/host/send.ts'
import type { Log } from '../monitoring/log.ts'
import { dataschemaOf, sourceOf, type EventContract } from './contracts/contract.ts'

/** An event as a handler states it; the rest of the envelope follows from the contract. */
export interface EventDraft<Data> {
  /** Id of the thing that the event is about. */
  subject: string
  /** Events with the same key (account or user) belong together. */
  partitionkey: string
  data: Data
}

/** An event as it stands in the outbox, ready to be published. `data` is JSON text, passed on as it is. */
export interface OutboxEvent {
  id: string
  type: string
  source: string
  subject: string
  /** RFC 3339 UTC. */
  time: string
  dataschema: string
  partitionkey: string
  traceparent: string | null
  data: string
  /** Further CloudEvents attributes, for events that are sent without being stored. */
  extensions?: Readonly<Record<string, string>>
}

export interface Outbox {
  /** Publishes events whose transaction has committed. Returns at once; what fails is left for the sweep. */
  publish(events: readonly OutboxEvent[]): void
  /** Publishes what others left behind. Resolves with the number of events that the Broker confirmed. */
  sweep(): Promise<number>
  /** Sends one event straight to the Broker, for facts that have no database transaction (yet).
   * Resolves when it is stored there; rejects with UnavailableError. */
  send(event: OutboxEvent): Promise<void>
  /** Waits until everything handed to publish() is published or left for the sweep. */
  drain(): Promise<void>
}

// Beyond this many events in memory new ones stay in the database only, where the sweep finds them.
const QUEUED_MAX = 10_000
const IN_FLIGHT_MAX = 32
const SWEEP_BATCH = 200
const SEND_TIMEOUT_MS = 10_000

/** Publishes events to the Broker after their commit.
 *
 * A row leaves `outbox_pending` only after the Broker's 202, so a crash at any line leaves it for the sweep,
 * and the worst that can happen is an event twice, with the same id. What can't be published is given back for
 * the next sweep, which every function process of the context makes every few seconds while it lives. */
export function createOutbox(options: { db: Database; send: Send; brokerUrl: string; log: Log }): Outbox {
  const { db, brokerUrl, log } = options
  const queued: OutboxEvent[] = []
  const settled = { confirmed: [] as string[], failed: [] as string[] }
  let inFlight = 0
  let settling: Promise<void> | undefined
  let sweeping: Promise<number> | undefined
  const idle: (() => void)[] = []

  const send = async (event: OutboxEvent): Promise<void> => {
    const { status } = await options.send({
      url: brokerUrl,
      method: 'POST',
      headers: binaryHeaders(event),
      body: event.data,
      timeoutMs: SEND_TIMEOUT_MS,
    })
    if (status !== 202 && status !== 200) throw new UnavailableError(`the Broker answered ${status}`)
  }

  const pump = (): void => {
    while (inFlight < IN_FLIGHT_MAX && queued.length > 0) {
      const event = queued.shift()!
      inFlight++
      send(event)
        .then(
          () => settled.confirmed.push(event.id),
          () => settled.failed.push(event.id),
        )
        .finally(() => {
          inFlight--
          settle()
          pump()
        })
    }
    if (isIdle()) for (const resolve of idle.splice(0)) resolve()
  }

  // One statement at a time; what is confirmed while it runs goes into the next one.
  const settle = (): void => {
    if (settling || (settled.confirmed.length === 0 && settled.failed.length === 0)) return
    const confirmed = settled.confirmed.splice(0)
    const failed = settled.failed.splice(0)
    settling = store(confirmed, failed)
      .catch((error: Error) => log.warn('events stay marked as pending', { error: error.message }))
      .finally(() => {
        settling = undefined
        settle()
        pump()
      })
  }

  const store = async (confirmed: string[], failed: string[]): Promise<void> => {
    if (confirmed.length > 0) await forget(db, confirmed)
    if (failed.length === 0) return
    log.warn('events could not be published; the next sweep tries again', { events: failed.length })
    await release(db, failed)
  }

  const sweep = (): Promise<number> => (sweeping ??= sweepAll().finally(() => (sweeping = undefined)))

  const sweepAll = async (): Promise<number> => {
    let published = 0
    for (;;) {
      const events = await claim(db)
      const confirmed = await sendAll(events, send)
      if (confirmed.size > 0) await forget(db, [...confirmed])
      published += confirmed.size
      if (confirmed.size < events.length) {
        const left = events.map((event) => event.id).filter((id) => !confirmed.has(id))
        await release(db, left)
        throw new UnavailableError(`the Broker did not take ${left.length} events`)
      }
      if (events.length < SWEEP_BATCH) return published
    }
  }

  const isIdle = (): boolean =>
    inFlight === 0 &&
    queued.length === 0 &&
    settled.confirmed.length + settled.failed.length === 0 &&
    !settling

  return {
    publish(events) {
      const room = QUEUED_MAX - queued.length
      queued.push(...(events.length > room ? events.slice(0, room) : events))
      pump()
    },
    sweep,
    send,
    async drain() {
      if (!isIdle()) await new Promise<void>((resolve) => idle.push(resolve))
      await sweeping?.catch(() => {})
    },
  }
}

/** Stores the events of a database transaction, and returns them as they are to be published after it. */
export async function writeEvents(
  tx: Transaction,
  drafts: readonly { contract: EventContract; event: EventDraft<unknown> }[],
  traceparent: string,
): Promise<OutboxEvent[]> {
  if (drafts.length === 0) return []
  const events = drafts.map(({ contract, event }) => ({
    type: contract.type,
    source: sourceOf(contract),
    subject: event.subject,
    dataschema: dataschemaOf(contract),
    partitionkey: event.partitionkey,
    traceparent,
    data: JSON.stringify(event.data),
  }))
  // The ids are made here rather than returned by the insert, whose rows may come in any order.
  const rows = await tx.query<{ id: string; time: Date }>({
    name: 'outbox-ids',
    text: `select uuidv7() as id, now() as time from generate_series(1, $1)`,
    values: [events.length],
  })
  const stored = events.map((event, i) => ({ ...event, id: rows[i]!.id, time: rows[i]!.time.toISOString() }))
  await insertEvents(tx, stored)
  return stored
}

/** Stores events, each marked as still to be published. */
async function insertEvents(tx: Transaction, events: readonly OutboxEvent[]): Promise<void> {
  await tx.query({
    name: 'outbox-insert',
    text: `with event as (
        select * from json_to_recordset($1) as e(id uuid, type text, source text, subject text, time timestamptz,
          dataschema text, partitionkey text, traceparent text, data text)
      ), stored as (
        insert into outbox (id, type, source, subject, time, dataschema, partitionkey, traceparent, data)
        select id, type, source, subject, time, dataschema, partitionkey, traceparent, data::json from event
        on conflict (id) do nothing
      )
      insert into outbox_pending (event_id) select id from event on conflict (event_id) do nothing`,
    values: [JSON.stringify(events)],
  })
}

async function claim(db: Database): Promise<OutboxEvent[]> {
  const rows = await db.query<Omit<OutboxEvent, 'time'> & { time: Date }>({
    name: 'outbox-claim',
    text: `with claimed as (
        update outbox_pending set claimed_until = now() + interval '30 seconds', attempts = attempts + 1
        where event_id in (
          select event_id from outbox_pending where claimed_until <= now()
          order by event_id limit ${SWEEP_BATCH} for update skip locked
        )
        returning event_id
      )
      select id, type, source, subject, time, dataschema, partitionkey, traceparent, data::text as data
      from outbox join claimed on id = event_id order by id`,
  })
  return rows.map((row) => ({ ...row, time: row.time.toISOString() }))
}

async function forget(db: Database, ids: string[]): Promise<void> {
  await db.query({
    name: 'outbox-published',
    text: `delete from outbox_pending where event_id = any($1::uuid[])`,
    values: [ids],
  })
}

/** Gives rows back at once, instead of when the claim runs out. */
async function release(db: Database, ids: string[]): Promise<void> {
  await db.query({
    name: 'outbox-release',
    text: `update outbox_pending set claimed_until = now() where event_id = any($1::uuid[])`,
    values: [ids],
  })
}

/** Sends events side by side; returns the ids that the Broker confirmed. */
async function sendAll(
  events: OutboxEvent[],
  send: (event: OutboxEvent) => Promise<void>,
): Promise<Set<string>> {
  const confirmed = new Set<string>()
  let next = 0
  const worker = async (): Promise<void> => {
    for (let event = events[next++]; event; event = events[next++]) {
      await send(event)
      confirmed.add(event.id)
    }
  }
  // A worker ends at its first failure: where the Broker is away, the rest would fail too.
  await Promise.allSettled(Array.from({ length: IN_FLIGHT_MAX }, worker))
  return confirmed
}

/** Headers of the event in binary content mode (CloudEvents HTTP binding 1.0.2, section 3.1). */
function binaryHeaders(event: OutboxEvent): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': event.id,
    'ce-type': event.type,
    'ce-source': event.source,
    'ce-subject': event.subject,
    'ce-time': event.time,
    'ce-dataschema': event.dataschema,
    'ce-partitionkey': event.partitionkey,
  }
  for (const [name, value] of Object.entries(event.extensions ?? {})) headers[`ce-${name}`] = value
  if (event.traceparent) {
    // As a header for whatever carries traces over HTTP, as an attribute so that it is stored with the event.
    headers['traceparent'] = event.traceparent
    headers['ce-traceparent'] = event.traceparent
  }
  return headers
}

import type { Queryable } from './database/queryable.ts'
import { UnavailableError } from './unavailable.ts'
import type { Log } from '../monitoring/log.ts'
import { seldom } from '../monitoring/seldom.ts'
import { dataschemaOf, sourceOf, type EventContract } from './contracts/contract.ts'
import { binaryHeaders } from './http-binding.ts'
import { signEvent } from './signature.ts'
import { followGroups, setAside, storeOutcomes, type GroupOutcome } from './group-outcomes.ts'
import { groupsOf } from './groups.ts'
import { claim, CLAIM_MS, GROUP_MAX } from './pending.ts'
import { createRelay, type PublishOutcome } from './relay.ts'
import type { Metrics } from '../monitoring/metrics.ts'
import type { EventDraft, OutboxEvent, PendingEvent } from './outbox-event.ts'

export interface Outbox {
  /** Publishes events whose transaction has committed. Returns at once; events that fail are left for the
   * sweep. Events that were written together must be given together. */
  publish(events: readonly PendingEvent[]): void
  /** Publishes events that other processes left behind. Resolves with the number of events that the Broker
   * confirmed. No batch begins after `timeMaxMs`; the next sweep goes on. */
  sweep(timeMaxMs?: number): Promise<number>
  /** Sends one event straight to the Broker, for a fact that has no database transaction yet. Resolves when
   * the Broker has stored it; rejects with UnavailableError. */
  send(event: OutboxEvent): Promise<void>
  /** Waits until everything handed to publish() is published or left for the sweep. */
  drain(): Promise<void>
}

/** Above this many events in memory, new ones stay in the database only, where the sweep finds them. */
export const QUEUED_MAX = 10_000
// Half of the 10 s in which only the writer of a row publishes it (see outbox_pending). After those 10 s a
// sweep may take the row.
const QUEUED_MS = 5_000
const SWEEP_BATCH = 500
// Rows whose events are confirmed are deleted in batches, because a delete after each would compete with the
// requests that follow. A batch is complete after this many ms or rows. A crash before the delete only
// publishes the events twice.
const SETTLE_MS = 100
const SETTLE_BATCH = 500

export interface OutboxOptions {
  db: Queryable
  /** Posts to the Broker's ingress. Calls `done` with the status of the answer, or with 0 if none came. */
  post: (headers: Readonly<Record<string, string>>, body: string, done: (status: number) => void) => void
  log: Log
  /** Key of the context. Without it events are not signed, and the bank's consumers refuse them. */
  signingKey?: string | undefined
  metrics?: Pick<Metrics, 'count' | 'gauge'>
}

/** Creates an outbox, which publishes events to the Broker after their commit.
 *
 * An event leaves `outbox_pending` only after the Broker has answered 202. So a crash at any line leaves it
 * for the sweep, and at worst an event is published twice, with the same id. Events that can't be published
 * are released for the next sweep. Each living function process of the context sweeps every few
 * seconds. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { db, log, signingKey, metrics } = options
  const post = (event: OutboxEvent, done: (status: number) => void): void =>
    options.post(binaryHeaders(attributesOf(event, signingKey)), event.data, done)
  const relay = createRelay(post)
  metrics?.gauge('microbank_publish_waiting', () => ({ '': relay.waiting }))
  // While the Broker is away, some fail ten times a second.
  const sayFailed = seldom(log.warn)
  const settled: GroupOutcome[] = []
  let timer: NodeJS.Timeout | undefined
  let settling: Promise<void> | undefined
  let sweeping: Promise<number> | undefined
  const idle: (() => void)[] = []

  const note = (group: GroupOutcome): void => {
    settled.push(group)
    if (relay.isEnding || settled.length >= SETTLE_BATCH) void settle()
    else timer ??= setTimeout(() => void settle(), SETTLE_MS)
  }

  const follow = (events: readonly PendingEvent[]) => {
    const noteEvent = followGroups(events, note)
    return (event: PendingEvent, outcome: PublishOutcome): void => {
      metrics?.count('microbank_publish_total', outcome)
      noteEvent(event, outcome)
      if (relay.isIdle) for (const resolve of idle.splice(0)) resolve()
    }
  }

  /** Stores the outcomes of rows. Resolves when no outcome is left to store. */
  const settle = (): Promise<void> => (settling ??= settleAll().finally(() => (settling = undefined)))

  const settleAll = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    while (settled.length > 0) {
      const groups = settled.splice(0, SETTLE_BATCH)
      const failed = groups.reduce((sum, group) => sum + group.failed, 0)
      if (failed > 0)
        sayFailed('events could not be published; the next sweep tries again', { events: failed })
      await storeOutcomes(db, log, groups).catch((error: Error) =>
        log.warn('events stay marked as pending', { error: error.message }),
      )
    }
  }

  const sweepAll = async (timeMaxMs: number): Promise<number> => {
    const endsAt = performance.now() + timeMaxMs
    for (let published = 0; ;) {
      const groups = await claim(db, SWEEP_BATCH)
      await setAside(db, log, groups)
      const events = groups.flatMap((group) => group.events)
      const outcomes = await relayAll(events)
      published += outcomes.confirmed
      const isLast = events.length < SWEEP_BATCH || relay.isEnding || performance.now() >= endsAt
      if (isLast || outcomes.failed > 0) await settle()
      if (outcomes.failed > 0) throw new UnavailableError(`the Broker did not take ${outcomes.failed} events`)
      if (isLast) return published
    }
  }

  /** Publishes events and resolves with the count per outcome. If the Broker fails, the remaining events are
   * released together with the failed ones. */
  const relayAll = (events: readonly PendingEvent[]) => {
    const counts = { confirmed: 0, refused: 0, failed: 0 }
    const follower = follow(events)
    let open = events.length
    return new Promise<typeof counts>((resolve) => {
      if (open === 0) return resolve(counts)
      relay.add({
        events,
        until: performance.now() + CLAIM_MS / 2,
        givesUp: true,
        onOutcome(event, outcome) {
          const end = outcome === 'left' ? 'failed' : outcome
          counts[end]++
          follower(event, end)
          if (--open === 0) resolve(counts)
        },
      })
    })
  }

  return {
    publish(events) {
      const room = Math.max(0, QUEUED_MAX - relay.waiting)
      if (events.length === 0 || room === 0) return
      const follower = follow(events)
      relay.add({
        events: events.length > room ? events.slice(0, room) : events,
        until: performance.now() + QUEUED_MS,
        givesUp: false,
        onOutcome: follower,
      })
      for (const event of events.slice(room)) follower(event, 'left')
    },
    sweep: (timeMaxMs = Infinity) => (sweeping ??= sweepAll(timeMaxMs).finally(() => (sweeping = undefined))),
    send: (event) =>
      new Promise((resolve, reject) =>
        post(event, (status) => {
          if (status >= 200 && status < 300) resolve()
          else reject(new UnavailableError(`the Broker answered ${status || 'nothing'}`))
        }),
      ),
    async drain() {
      relay.isEnding = true
      if (!relay.isIdle) await new Promise<void>((resolve) => idle.push(resolve))
      await sweeping?.catch(() => {})
      await settle()
      relay.isEnding = false
    },
  }
}

/** Stores the events of a database transaction. Returns them in the form in which they are to be published
 * after the commit. */
export async function writeEvents(
  tx: Queryable,
  drafts: readonly { contract: EventContract; event: EventDraft<unknown> }[],
  traceparent: string,
): Promise<PendingEvent[]> {
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
  // The ids are made before the insert: the rows that an insert returns may come in any order.
  const rows = await tx.query<{ id: string; time: Date }>({
    name: 'outbox-ids',
    text: `select uuidv7() as id, now() as time from generate_series(1, $1)`,
    values: [events.length],
  })
  const stored = events.map((event, i) => ({
    ...event,
    id: rows[i]!.id,
    time: rows[i]!.time.toISOString(),
    pendingId: rows[i - (i % GROUP_MAX)]!.id,
  }))
  await insertEvents(tx, stored)
  return stored
}

/** Stores events and marks each as pending. */
async function insertEvents(tx: Queryable, events: readonly PendingEvent[]): Promise<void> {
  await tx.query({
    name: 'outbox-insert',
    text: `with event as (
        select * from json_to_recordset($1) as e(id uuid, type text, source text, subject text, time timestamptz,
          dataschema text, partitionkey text, traceparent text, data text, "pendingId" uuid)
      ), stored as (
        insert into outbox (id, type, source, subject, time, dataschema, partitionkey, traceparent, data)
        select id, type, source, subject, time, dataschema, partitionkey, traceparent, data::json from event
        on conflict (id) do nothing
      )
      insert into outbox_pending (id, event_ids) select "pendingId", array_agg(id order by id) from event group by 1`,
    values: [JSON.stringify(events)],
  })
}

/** Returns the attributes, with a signature. An event is signed when it is sent, not when it is stored: in
 * the outbox the database itself vouches for it. */
function attributesOf(event: OutboxEvent, signingKey: string | undefined): Record<string, string> {
  const { id, type, source, subject, time, dataschema, partitionkey, traceparent, extensions } = event
  const attributes: Record<string, string> = {
    specversion: '1.0',
    id,
    type,
    source,
    subject,
    time,
    dataschema,
    partitionkey,
    datacontenttype: 'application/json',
    ...(traceparent && { traceparent }),
    ...groupsOf(type),
    ...extensions,
  }
  if (signingKey) attributes.signature = signEvent(attributes, event.data, signingKey)
  return attributes
}

import { webhookQueued } from '../../../eventing/contracts/webhook.queued.ts'
import { writeEvents } from '../../../eventing/outbox.ts'
import type { PendingEvent } from '../../../eventing/outbox-event.ts'
import { lockOrdersOf } from '../customers/current-owner.ts'
import { skipRuns } from '../orders/skip-runs.ts'
import type { Database, Transaction } from '../../host/database/database.ts'

/** A user whose password was set by a mailed link, before anybody had confirmed the address. */
export interface NewOwner {
  user_id: string
  since: string
}

/** An event, as those see it whom it concerns. */
export interface QueuedEvent {
  event_source: string
  event_id: string
  event_type: string
  /** What is posted; `viewer` is the customer, or null for operators. */
  bodies: readonly { viewer: string | null; body: string }[]
  /** The user who has left, if that is what the event tells. */
  userLeft: string | undefined
  newOwner: NewOwner | undefined
  traceparent: string
}

/** Stores a delivery for each hook that wants an event and does not have it yet, and emits an event for each
 * hook that got one. Returns those events, to be published after the commit.
 *
 * Most events concern nobody who has a hook. They cost one statement that reads. */
export async function queueDeliveries(db: Database, events: readonly QueuedEvent[]): Promise<PendingEvent[]> {
  const left = events.flatMap(({ userLeft }) => userLeft ?? [])
  const owners = events.flatMap(({ newOwner }) => newOwner ?? [])
  const said = JSON.stringify(
    events.flatMap(({ bodies, userLeft: _left, newOwner: _owner, traceparent: _trace, ...event }) =>
      bodies.map((view) => ({ ...event, ...view })),
    ),
  )
  // Before anything is queued: the hooks of whoever had the password must not hear of it.
  if (owners.length > 0) await db.transaction((tx) => pauseForNewOwners(tx, owners))
  const wanted = await db.query({
    name: 'web-hooks-wanting',
    text: `${WANTED} select from wanted limit 1`,
    values: [said],
  })
  if (wanted.length === 0 && left.length === 0) return []
  return db.transaction(async (tx) => {
    await removeHooksOf(tx, left)
    const hooks = await tx.query<{ web_hook_id: string }>({
      name: 'web-hooks-queue',
      // The order is the same in all statements, so they can't deadlock.
      text: `${WANTED}, stored as (
          insert into web_hook_deliveries (web_hook_id, event_source, event_id, event_type, body)
          select web_hook_id, event_source, event_id, event_type, body from wanted
          order by web_hook_id, event_source, event_id
          on conflict (web_hook_id, event_source, event_id) do nothing
          returning web_hook_id
        )
        select distinct web_hook_id from stored`,
      values: [said],
    })
    const drafts = hooks.map(({ web_hook_id: id }) => ({
      contract: webhookQueued,
      event: { subject: id, partitionkey: id, data: { web_hook_id: id } },
    }))
    return writeEvents(tx, drafts, events[0]!.traceparent)
  })
}

/** What was made before the owner set a password, or later with a token from before. */
const OF_EARLIER_OWNER = `(created_at < $2 or token_issued_at + interval '1 second' <= $2)`

/** Pauses hooks and payment orders that somebody else may have made. If the event comes late, or again, it
 * changes nothing that the owner has made or resumed since. */
async function pauseForNewOwners(tx: Transaction, owners: readonly NewOwner[]): Promise<void> {
  // Only the last event of a user counts. Rows are locked in the order of user_id, as everywhere.
  const last = new Map(
    [...owners].sort((a, b) => (a.since < b.since ? -1 : 1)).map((one) => [one.user_id, one]),
  )
  const renewed = await tx.query<{ user_id: string; since: Date }>({
    name: 'web-hook-owners-renew',
    text: `insert into web_hook_owners as known (user_id, renewed_at)
      select user_id, since from json_to_recordset($1) as r(user_id uuid, since timestamptz) order by user_id
      on conflict (user_id) do update set renewed_at = excluded.renewed_at
        where known.renewed_at is null or known.renewed_at < excluded.renewed_at
      returning user_id, renewed_at as since`,
    values: [JSON.stringify([...last.values()])],
  })
  for (const { user_id: userId, since } of renewed) {
    await tx.query({
      name: 'web-hooks-pause-for-owner',
      text: `update web_hooks set status = 'paused', paused_because = 'new-owner'
        where user_id = $1 and ${OF_EARLIER_OWNER} and status = 'active'`,
      values: [userId, since],
    })
    // So an order that is being made meanwhile is either there by now, and paused, or refused later.
    await lockOrdersOf(tx, userId)
    const orders = await tx.query<{ id: string }>({
      name: 'orders-pause-for-owner',
      text: `update payment_orders set status = 'paused'
        where user_id = $1 and ${OF_EARLIER_OWNER} and status = 'active' returning id`,
      values: [userId, since],
    })
    for (const { id } of orders) await skipRuns(tx, id)
  }
}

/** The hooks that want an event, each with its own body. */
const WANTED = `with said as (
    select * from json_to_recordset($1)
      as s(event_source text, event_id text, event_type text, viewer uuid, body text)
  ), wanted as (
    select h.id as web_hook_id, said.* from said join web_hooks h on h.user_id = said.viewer
    where not h.is_operators and h.status = 'active' and said.event_type = any (h.types)
    union all
    select h.id as web_hook_id, said.* from said join web_hooks h on h.is_operators
    where said.viewer is null and h.status = 'active' and said.event_type = any (h.types)
  )`

/** Deletes the hooks of users who have left. Their tokens stay valid for minutes, so the row that a new hook
 * locks says that they have left. */
async function removeHooksOf(tx: Transaction, userIds: readonly string[]): Promise<void> {
  if (userIds.length === 0) return
  const ids = [...new Set(userIds)].sort()
  await tx.query({
    name: 'web-hook-owners-leave',
    text: `insert into web_hook_owners (user_id, left_at) select unnest($1::uuid[]), now()
      on conflict (user_id) do update set left_at = coalesce(web_hook_owners.left_at, now())`,
    values: [ids],
  })
  await tx.query({
    name: 'web-hooks-of-left',
    text: 'delete from web_hooks where user_id = any ($1)',
    values: [ids],
  })
}

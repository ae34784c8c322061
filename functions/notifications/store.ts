import { dataschemaOf, sourceOf, type EventContract } from '../../eventing/contracts/contract.ts'
import { messageDue, type MessageDue } from '../../eventing/contracts/message.due.ts'
import { notificationStored, type NotificationStored } from '../../eventing/contracts/notification.stored.ts'
import { eventIdOf, type PendingEvent } from '../../eventing/outbox-event.ts'
import type { Transaction } from '../host/database/database.ts'
import { perDayMax, type Channel, type ChosenChannel, type MessageContent } from './channels/message.ts'

/** A notification to store, with the event that it is about. */
export interface NewNotification {
  /** Name of the operation that consumed the event. */
  consumer: string
  event_source: string
  event_id: string
  event_type: string
  user_id: string
  /** Id of what the notification is about. */
  subject: string
  message: string
  /** The same in other languages than English, for users who chose one of them. */
  translations?: Readonly<Record<string, string>>
  traceparent: string
  /** Where it is shown: in the user's list, unless it is only sent. */
  channel?: 'in-app' | Channel
  /** What leaves the bank of it. Without this, it is only in the user's list. */
  send?: {
    content: MessageContent
    /** Channels that it takes if the user has not chosen. */
    usually: readonly ChosenChannel[]
    /** True if it takes every channel, whatever the user chose. */
    always: boolean
    /** The messages that it counts with for `perDayMax`. */
    kind: string
    /** Channels that it may take at all; without this, all. */
    only?: readonly Channel[]
    /** Email addresses that get it instead of the user's own. */
    emails?: readonly string[]
  }
}

interface StoredRow {
  id: string
  /** The notification of a message; null for a notification. */
  notification_id: string | null
  event_id: string
  event_type: string
  user_id: string
  traceparent: string
  channel: string
  /** Of a notification: what it says, if its user wants it by web hook. */
  message: string | null
  created_at: Date
  pending_id: string
}

/** Stores one notification for each event that comes for the first time, with a message for each of
 * `channels` that its user wants. Emits notification.stored and message.due. Returns those events, to be
 * published after the commit.
 *
 * It is one statement, so one round trip and one commit. A notification is unique per event and consumer, so
 * its row does what a row in `inbox` does elsewhere: if an event is delivered twice at once, the second
 * delivery waits for the first at that row. All statements insert these rows in the same order, so they can't
 * deadlock. */
export async function storeNotifications(
  db: Transaction,
  notifications: readonly NewNotification[],
  channels: readonly ChosenChannel[] = [],
): Promise<PendingEvent[]> {
  const events = JSON.stringify(notifications)
  const rows = await db.query<StoredRow>(
    channels.length === 0 && !notifications.some(({ translations }) => translations)
      ? { name: 'notifications-store', text: STORE, values: [events] }
      : {
          name: 'notifications-store-and-send',
          text: STORE_AND_SEND,
          values: [events, channels, PER_DAY_MAX],
        },
  )
  return rows.map((row) => (row.notification_id === null ? toStored(row) : toDue(row, row.notification_id)))
}

/** `message`, `byWebHook` and `preferences` are SQL: which message is stored, whether its user wants it by
 * web hook, and what both depend on. Looking up each user's language costs a fifth of the whole, so it is
 * left out where nobody can have chosen one. */
const notificationsWith = (message: string, byWebHook: string, preferences: string): string => `event as (
    select distinct on (event_source, event_id, consumer) *
    from json_to_recordset($1) as e(consumer text, event_source text, event_id text, event_type text, user_id uuid,
      subject text, message text, translations json, traceparent text, channel text, send json)
    order by event_source, event_id, consumer
  ), stored as (
    insert into notifications (user_id, event_source, event_id, consumer, event_type, subject, message, channel,
      by_web_hook)
    select e.user_id, event_source, event_id, consumer, event_type, subject,
      ${message}, coalesce(channel, 'in-app'), ${byWebHook}
    from event e ${preferences} order by event_source, event_id, consumer
    on conflict (event_source, event_id, consumer) do nothing
    returning id, user_id, event_source, event_id, consumer, event_type, channel, created_at,
      case when by_web_hook then message end as message
  ), stated as materialized (
    select stored.*, event.traceparent, event.send from stored join event using (event_source, event_id, consumer)
  )`

const PER_DAY_MAX = JSON.stringify(perDayMax)

const STORE = `with ${notificationsWith('message', 'false', '')}, pending as (
    insert into outbox_pending (event_ids, traceparents)
    select array_agg(event_id_of(id)), array_agg(traceparent) from stated having count(*) > 0
    returning id as pending_id
  )
  select id, null as notification_id, user_id, event_id, event_type, channel, message, created_at, traceparent, pending_id
  from stated cross join pending`

/** Whether a user wants a notification over a channel: SQL. `of` has the event, `p` what the user chose. */
function wanted(of: string, channel: string): string {
  return `(${channel} = any ($2::text[]) and ${of}.send is not null
    and coalesce((${of}.send -> 'only')::jsonb ? ${channel}, true) and (
      (${of}.send ->> 'always')::boolean or coalesce(
        (p.choices -> ${of}.event_type ->> ${channel})::boolean, (${of}.send -> 'usually')::jsonb ? ${channel})))`
}

/** Rows of `outbox_pending` take a hundred events each, however many messages there are. */
const STORE_AND_SEND = `with ${notificationsWith(
  'coalesce(e.translations ->> p.language, message)',
  wanted('e', "'webhook'"),
  'left join preferences p on p.user_id = e.user_id',
)}, wish as (
    select s.id, s.user_id, way.channel, way.address, way.subscription_id, s.send -> 'content' as content,
      s.send ->> 'kind' as kind,
      row_number() over (partition by s.user_id, way.channel, s.send ->> 'kind' order by s.id) as n
    from stated s left join preferences p on p.user_id = s.user_id
    cross join lateral (
      select 'email', address, null::uuid
      from json_array_elements_text(coalesce(s.send -> 'emails', '[null]')) as a(address)
      union all
      select 'sms', null, null from contacts c where c.user_id = s.user_id and c.phone is not null
      union all
      select 'push', null, t.id from push_subscriptions t where t.user_id = s.user_id
    ) way (channel, address, subscription_id)
    where s.send is not null and not exists (
      select from contacts c where c.user_id = s.user_id and c.deleted_at is not null
    ) and ${wanted('s', 'way.channel')}
  ), due as (
    insert into messages (notification_id, user_id, channel, kind, address, subscription_id, content)
    select id, user_id, channel, kind, address, subscription_id, content from wish where n + (
      select count(*) from messages m where m.user_id = wish.user_id and m.channel = wish.channel
        and m.kind = wish.kind and m.created_at > now() - interval '24 hours'
    ) <= ($3::json -> channel ->> case kind when 'usual' then 'usual' else 'other' end)::int
    returning id, notification_id, user_id, channel, created_at
  ), fact as materialized (
    select id, null::uuid as notification_id, user_id, event_id, event_type, channel, message, created_at, traceparent from stated
    union all
    select due.id, notification_id, due.user_id, event_id, event_type, due.channel, null, due.created_at, traceparent
    from due join stated on stated.id = notification_id
  ), pending as (
    insert into outbox_pending (event_ids, traceparents)
    select array_agg(event_id_of(id)), array_agg(traceparent)
    from (select id, traceparent, row_number() over () as n from fact) numbered group by (n - 1) / 100
    returning id as pending_id, event_ids
  )
  select fact.*, pending_id from fact join pending on event_id_of(fact.id) = any (event_ids)`

/** Returns the event as notification_event() in functions/notifications/sql derives it from the
 * notification. */
function toStored(row: StoredRow): PendingEvent {
  const data: NotificationStored = {
    notification_id: row.id,
    user_id: row.user_id,
    event_id: row.event_id,
    event_type: row.event_type,
    channel: row.channel,
    message: row.message,
    timestamp: row.created_at.toISOString(),
  }
  return toEvent(row, notificationStored, data, row.message === null ? null : { channel: 'webhook' })
}

/** Returns the event as message_event() derives it from the message. */
function toDue(row: StoredRow, notificationId: string): PendingEvent {
  const channel = row.channel as Channel
  const data: MessageDue = {
    message_id: row.id,
    notification_id: notificationId,
    user_id: row.user_id,
    channel,
    timestamp: row.created_at.toISOString(),
  }
  return toEvent(row, messageDue, data, { channel })
}

function toEvent<Data>(
  row: StoredRow,
  contract: EventContract<Data>,
  data: Data,
  extensions: Record<string, string> | null,
): PendingEvent {
  return {
    id: eventIdOf(row.id),
    type: contract.type,
    source: sourceOf(contract),
    subject: row.id,
    time: row.created_at.toISOString(),
    dataschema: dataschemaOf(contract),
    partitionkey: row.user_id,
    traceparent: row.traceparent,
    data: JSON.stringify(data),
    ...(extensions && { extensions }),
    pendingId: row.pending_id,
  }
}

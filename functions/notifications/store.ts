import { dataschemaOf, sourceOf } from '../../eventing/contracts/contract.ts'
import { notificationStored, type NotificationStored } from '../../eventing/contracts/notification.stored.ts'
import { eventIdOf, type PendingEvent } from '../../eventing/outbox-event.ts'
import type { Database } from '../host/database/database.ts'

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
  traceparent: string
}

type StoredRow = Pick<NewNotification, 'event_id' | 'event_type' | 'user_id' | 'traceparent'> & {
  id: string
  channel: string
  created_at: Date
  pending_id: string
}

/** Stores one notification for each event that comes for the first time, and emits notification.stored for
 * each. Returns those events, to be published after the commit.
 *
 * It is one statement, so one round trip and one commit. A notification is unique per event and consumer, so
 * its row does what a row in `inbox` does elsewhere: if an event is delivered twice at once, the second
 * delivery waits for the first at that row. All statements insert these rows in the same order, so they can't
 * deadlock. */
export async function storeNotifications(
  db: Database,
  notifications: readonly NewNotification[],
): Promise<PendingEvent[]> {
  const rows = await db.query<StoredRow>({
    name: 'notifications-store',
    text: `with event as (
        select distinct on (event_source, event_id, consumer) *
        from json_to_recordset($1) as e(consumer text, event_source text, event_id text, event_type text, user_id uuid,
          subject text, message text, traceparent text)
        order by event_source, event_id, consumer
      ), stored as (
        insert into notifications (user_id, event_source, event_id, consumer, event_type, subject, message)
        select user_id, event_source, event_id, consumer, event_type, subject, message
        from event order by event_source, event_id, consumer
        on conflict (event_source, event_id, consumer) do nothing
        returning id, user_id, event_source, event_id, consumer, event_type, channel, created_at
      ), stated as materialized (
        select stored.*, event.traceparent from stored join event using (event_source, event_id, consumer)
      ), pending as (
        insert into outbox_pending (event_ids, traceparents)
        select array_agg(event_id_of(id)), array_agg(traceparent) from stated having count(*) > 0
        returning id as pending_id
      )
      select id, user_id, event_id, event_type, channel, created_at, traceparent, pending_id
      from stated cross join pending`,
    values: [JSON.stringify(notifications)],
  })
  return rows.map(toEvent)
}

/** Returns the event as notification_event() in functions/notifications/sql derives it from the
 * notification. */
function toEvent(row: StoredRow): PendingEvent {
  const time = row.created_at.toISOString()
  const data: NotificationStored = {
    notification_id: row.id,
    user_id: row.user_id,
    event_id: row.event_id,
    event_type: row.event_type,
    channel: row.channel,
    timestamp: time,
  }
  return {
    id: eventIdOf(row.id),
    type: notificationStored.type,
    source: sourceOf(notificationStored),
    subject: row.id,
    time,
    dataschema: dataschemaOf(notificationStored),
    partitionkey: row.user_id,
    traceparent: row.traceparent,
    data: JSON.stringify(data),
    pendingId: row.pending_id,
  }
}

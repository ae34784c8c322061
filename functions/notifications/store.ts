import { dataschemaOf, sourceOf } from '../../eventing/contracts/contract.ts'
import { notificationStored } from '../../eventing/contracts/notification.stored.ts'
import type { OutboxEvent } from '../../eventing/outbox-event.ts'
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

type StatedRow = Pick<OutboxEvent, 'id' | 'subject' | 'partitionkey' | 'traceparent' | 'data'> & {
  time: Date
}

/** Stores one notification for each event that comes for the first time, and emits notification.stored for
 * each. Returns those events, to be published after the commit.
 *
 * It is one statement, so one round trip and one commit. If an event is delivered twice at once, the second
 * delivery waits for the first at the event's row in `inbox`. All statements insert these rows in the same
 * order, so they can't deadlock. */
export async function storeNotifications(
  db: Database,
  notifications: readonly NewNotification[],
): Promise<OutboxEvent[]> {
  const rows = await db.query<StatedRow>({
    name: 'notifications-store',
    text: `with event as (
        select distinct on (event_source, event_id, consumer) *
        from json_to_recordset($1) as e(consumer text, event_source text, event_id text, event_type text, user_id uuid,
          subject text, message text, traceparent text)
        order by event_source, event_id, consumer
      ), received as (
        insert into inbox (source, event_id, consumer)
        select event_source, event_id, consumer from event order by event_source, event_id, consumer
        on conflict do nothing
        returning source as event_source, event_id, consumer
      ), stored as (
        insert into notifications (user_id, event_source, event_id, consumer, event_type, subject, message)
        select user_id, event_source, event_id, consumer, event_type, subject, message
        from event join received using (event_source, event_id, consumer)
        returning *
      ), stated as (
        insert into outbox (type, source, subject, time, dataschema, partitionkey, traceparent, data)
        select $2, $3, n.id::text, n.created_at, $4, n.user_id::text, event.traceparent, json_build_object(
          'notification_id', n.id,
          'user_id', n.user_id,
          'event_id', n.event_id,
          'event_type', n.event_type,
          'channel', n.channel,
          'timestamp', to_char(n.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        )
        from stored n join event using (event_source, event_id, consumer)
        returning *
      ), pending as (
        insert into outbox_pending (event_id) select id from stated
      )
      select id, subject, time, partitionkey, traceparent, data::text as data from stated`,
    values: [
      JSON.stringify(notifications),
      notificationStored.type,
      sourceOf(notificationStored),
      dataschemaOf(notificationStored),
    ],
  })
  return rows.map(({ time, ...row }) => ({
    ...row,
    type: notificationStored.type,
    source: sourceOf(notificationStored),
    dataschema: dataschemaOf(notificationStored),
    time: time.toISOString(),
  }))
}

import type { CloudEventV1 } from 'cloudevents'
import { createReceiver } from '../../eventing/inbox.ts'
import type { EventDelivery } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'
import { storeNotifications, type NewNotification } from './store.ts'
import { notified, type NotifiedType } from './templates/notified.ts'
import { eventText } from './templates/templates.ts'

/** Stores a notification; see createReceiver(). */
type Receive = (notification: NewNotification) => Promise<void>

/** Creates what stores the notifications of a process. */
export const notificationReceiver = ({ db, outbox }: Tools): Receive =>
  createReceiver({
    store: (notifications: readonly NewNotification[]) => storeNotifications(db, notifications),
    outbox,
  })

interface NotifiedContent {
  user_id: string
}

/** Returns the handler of a consumer that tells users of events: one notification per event, however often it
 * comes. `consumer` is the name of its operation. */
export const notifyOf =
  (consumer: string) =>
  async (
    event: CloudEventV1<unknown>,
    _tools: Tools,
    receive: Receive,
    { traceparent }: EventDelivery,
  ): Promise<void> => {
    const type = event.type as NotifiedType
    const about = notified[type]
    const data = event.data as NotifiedContent
    if (about.isSentOnly) return
    await receive({
      consumer,
      event_source: event.source,
      event_id: event.id,
      event_type: type,
      user_id: data.user_id,
      subject: (about.subject as (content: NotifiedContent) => string)(data),
      message: eventText(type, data, 'en').text,
      traceparent,
    })
  }

import type { CloudEventV1 } from 'cloudevents'
import { createReceiver } from '../../eventing/inbox.ts'
import type { EventDelivery } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'
import { storeNotifications, type NewNotification } from './store.ts'
import { usualChannels } from './channels/message.ts'
import { languages } from './templates/formats.ts'
import { notified, type NotifiedType } from './templates/notified.ts'
import { eventText } from './templates/templates.ts'

/** Stores a notification; see createReceiver(). */
type Receive = (notification: NewNotification) => Promise<void>

/** Creates what stores the notifications of a process. */
export const notificationReceiver = ({ db, outbox, config }: Tools): Receive =>
  createReceiver({
    store: (notifications: readonly NewNotification[]) =>
      storeNotifications(db, notifications, config.MESSAGE_CHANNELS),
    outbox,
  })

interface NotifiedContent {
  user_id: string
}

/** Returns the handler of a consumer that tells users of events: one notification per event, however often it
 * comes, and a message for each channel that the user wants. `consumer` is the name of its operation. */
export const notifyOf =
  (consumer: string) =>
  async (
    event: CloudEventV1<unknown>,
    { config, metrics }: Tools,
    receive: Receive,
    { traceparent }: EventDelivery,
  ): Promise<void> => {
    const type = event.type as NotifiedType
    const about = notified[type]
    const data = event.data as NotifiedContent
    const isSending = config.MESSAGE_CHANNELS.length > 0
    if (about.isSentOnly && !isSending) return
    await receive({
      consumer,
      event_source: event.source,
      event_id: event.id,
      event_type: type,
      user_id: data.user_id,
      subject: (about.subject as (content: NotifiedContent) => string)(data),
      message: eventText(type, data, 'en').text,
      traceparent,
      ...(about.isSentOnly && { channel: 'email' }),
      ...(isSending && { translations: translationsOf(type, data), send: sendingOf(type, data) }),
    })
    const seconds = (Date.now() - Date.parse(event.time ?? '')) / 1000
    // The clock of the database may be ahead.
    if (seconds > -60) metrics.observe('microbank_notification_delay_seconds', '', Math.max(0, seconds))
  }

const others = languages.filter((language) => language !== 'en')

const translationsOf = (type: NotifiedType, data: NotifiedContent): Record<string, string> =>
  Object.fromEntries(others.map((language) => [language, eventText(type, data, language).text]))

function sendingOf(type: NotifiedType, data: NotifiedContent): NonNullable<NewNotification['send']> {
  const { importance, emails, link } = notified[type]
  return {
    content: { event: type, data },
    usually: usualChannels[importance],
    always: importance === 'security',
    kind: importance === 'usual' ? 'usual' : type,
    ...(link && { only: ['email'] }),
    ...(emails && { emails: (emails as (content: NotifiedContent) => string[])(data) }),
  }
}

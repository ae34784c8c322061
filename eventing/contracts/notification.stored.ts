import type { EventContract } from './contract.ts'
import { text, timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface NotificationStored {
  notification_id: Uuid
  /** The user whom the notification is for. */
  user_id: Uuid
  /** CloudEvents `id` of the event that the notification tells of. */
  event_id: string
  /** CloudEvents `type` of that event. */
  event_type: string
  /** `in-app`, `email`, `sms` or `push`. */
  channel: string
  /** What it says, in the user's language, if they want it by web hook; null otherwise. Then the event has
   * the extension `channel` with the value `webhook`, too. */
  message: string | null
  /** When the notification was stored. */
  timestamp: Timestamp
}

export const notificationStored: EventContract<NotificationStored> = {
  type: 'notification.stored',
  version: 1,
  context: 'notifications',
  description: 'A notification was stored for a user.',
  attributes: {
    channel: {
      description: 'Only if the user wants it by web hook.',
      schema: { const: 'webhook' },
      example: 'webhook',
      isOptional: true,
    },
  },
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['notification_id', 'user_id', 'event_id', 'event_type', 'channel', 'message', 'timestamp'],
    properties: {
      notification_id: uuid,
      user_id: uuid,
      event_id: text,
      event_type: text,
      channel: { enum: ['in-app', 'email', 'sms', 'push'] },
      message: { type: ['string', 'null'] },
      timestamp,
    },
  },
  example: {
    notification_id: '01936f0a-9a3c-7cc1-8f25-8c1f5a4fb1d1',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    event_id: '01936f0a-99f0-7e44-b5c6-3a5f60b1d7aa',
    event_type: 'transaction.completed',
    channel: 'in-app',
    message: 'Deposit of $200.00 completed. New balance: $900.00',
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

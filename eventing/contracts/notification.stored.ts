import type { EventContract } from './contract.ts'

export interface NotificationStored {
  notification_id: string
  user_id: string
  /** Id and type of the event that the notification tells of. */
  event_id: string
  event_type: string
  channel: string
  timestamp: string
}

export const notificationStored: EventContract<NotificationStored> = {
  type: 'notification.stored',
  version: 1,
  context: 'notifications',
  description: 'A notification was stored for a user.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['notification_id', 'user_id', 'event_id', 'event_type', 'channel', 'timestamp'],
    properties: {
      notification_id: { type: 'string', format: 'uuid' },
      user_id: { type: 'string', format: 'uuid' },
      event_id: { type: 'string' },
      event_type: { type: 'string' },
      channel: { enum: ['in-app', 'email', 'sms', 'push'] },
      timestamp: { type: 'string', format: 'date-time' },
    },
  },
  example: {
    notification_id: '01936f0a-9a3c-7cc1-8f25-8c1f5a4fb1d1',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    event_id: '01936f0a-99f0-7e44-b5c6-3a5f60b1d7aa',
    event_type: 'transaction.completed',
    channel: 'in-app',
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

import type { EventContract } from './contract.ts'
import { timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface MessageDue {
  message_id: Uuid
  /** The notification that the message is about. */
  notification_id: Uuid
  user_id: Uuid
  channel: 'email' | 'sms' | 'push'
  /** When the message was stored. */
  timestamp: Timestamp
}

export const messageDue: EventContract<MessageDue> = {
  type: 'message.due',
  version: 1,
  context: 'notifications',
  description: 'A message is to be sent over a channel. It comes again for each attempt that is due.',
  attributes: {
    channel: {
      description: 'The same as channel in the data.',
      schema: { enum: ['email', 'sms', 'push'] },
      example: 'email',
    },
  },
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['message_id', 'notification_id', 'user_id', 'channel', 'timestamp'],
    properties: {
      message_id: uuid,
      notification_id: uuid,
      user_id: uuid,
      channel: { enum: ['email', 'sms', 'push'] },
      timestamp,
    },
  },
  example: {
    message_id: '01936f0a-9b11-7f0e-8a44-2d7c3e5f6a70',
    notification_id: '01936f0a-9a3c-7cc1-8f25-8c1f5a4fb1d1',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    channel: 'email',
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

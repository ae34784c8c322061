import { text, timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

/** What the events have in common that tell how the sending of a message ended. */
export interface MessageEnd {
  notification_id: Uuid
  message_id: Uuid
  user_id: Uuid
  /** CloudEvents `type` of the event that the message is about. */
  event_type: string
  channel: 'email' | 'sms' | 'push'
  /** How often it was tried. */
  attempts: number
  timestamp: Timestamp
}

/** Schema of MessageEnd. */
export const messageEndSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['notification_id', 'message_id', 'user_id', 'event_type', 'channel', 'attempts', 'timestamp'],
  properties: {
    notification_id: uuid,
    message_id: uuid,
    user_id: uuid,
    event_type: text,
    channel: { enum: ['email', 'sms', 'push'] },
    attempts: { type: 'integer', minimum: 0 },
    timestamp,
  },
}

export const messageEndExample: MessageEnd = {
  notification_id: '01936f0a-9a3c-7cc1-8f25-8c1f5a4fb1d1',
  message_id: '01936f0a-9b11-7f0e-8a44-2d7c3e5f6a70',
  user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
  event_type: 'transaction.completed',
  channel: 'email',
  attempts: 1,
  timestamp: '2026-01-05T09:30:01.000Z',
}

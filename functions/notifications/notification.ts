import { uuidSchema } from '../host/schema.ts'

/** A notification as the bank shows it. */
export const notificationSchema = {
  title: 'Notification',
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'user_id',
    'event_id',
    'event_type',
    'subject',
    'message',
    'channel',
    'status',
    'attempts',
    'timestamp',
    'read_at',
  ],
  properties: {
    id: uuidSchema,
    user_id: uuidSchema,
    event_id: { type: 'string' },
    event_type: { type: 'string' },
    subject: { type: 'string', description: 'The id of what it is about, such as a transaction.' },
    message: { type: 'string' },
    channel: { enum: ['in-app', 'email', 'sms', 'push'] },
    status: { enum: ['stored', 'sent', 'failed'] },
    attempts: { type: 'integer' },
    timestamp: { type: 'string', format: 'date-time' },
    read_at: {
      type: ['string', 'null'],
      format: 'date-time',
      description: 'When its user said that they have read it; null before that.',
    },
  },
} as const

export interface NotificationRow {
  id: string
  user_id: string
  event_id: string
  event_type: string
  subject: string
  message: string
  channel: string
  status: string
  attempts: number
  created_at: Date
  read_at: Date | null
}

/** The columns of a NotificationRow. */
export const notificationColumns =
  'id, user_id, event_id, event_type, subject, message, channel, status, attempts, created_at, read_at'

/** Shows a row, and nothing else that was read with it. */
export const toNotification = (row: NotificationRow) => ({
  id: row.id,
  user_id: row.user_id,
  event_id: row.event_id,
  event_type: row.event_type,
  subject: row.subject,
  message: row.message,
  channel: row.channel,
  status: row.status,
  attempts: row.attempts,
  timestamp: row.created_at.toISOString(),
  read_at: row.read_at?.toISOString() ?? null,
})

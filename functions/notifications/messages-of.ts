import type { Database } from '../host/database/database.ts'
import type { Caller } from '../host/route-request.ts'
import { uuidSchema } from '../host/schema.ts'
import { channels, type Channel } from './channels/message.ts'
import { notificationSchema, toNotification, type NotificationRow } from './notification.ts'

/** What left the bank, or is to leave it. */
const message = {
  title: 'Message',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'channel', 'status', 'next_attempt_at', 'attempts'],
  properties: {
    id: uuidSchema,
    channel: { enum: channels },
    status: { enum: ['stored', 'sent', 'failed'] },
    next_attempt_at: { type: ['string', 'null'], format: 'date-time' },
    attempts: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['started_at', 'finished_at', 'outcome', 'answer'],
        properties: {
          started_at: { type: 'string', format: 'date-time' },
          finished_at: {
            type: ['string', 'null'],
            format: 'date-time',
            description: 'Null while it runs, and for ever if its process died.',
          },
          outcome: {
            enum: ['sent', 'failed', 'later', 'unsure', null],
            description: 'Unsure: all of it was given away, and nobody said that it arrived.',
          },
          answer: { type: ['string', 'null'], description: 'What the provider said; only operators see it.' },
        },
      },
    },
  },
} as const

/** A notification, with the messages that left the bank and each attempt to send them. */
export const notificationWithMessages = {
  ...notificationSchema,
  title: 'NotificationWithMessages',
  required: [...notificationSchema.required, 'messages'],
  properties: { ...notificationSchema.properties, messages: { type: 'array', items: message } },
} as const

interface MessageRow {
  notification_id: string
  id: string
  channel: Channel
  status: string
  next_attempt_at: Date
  tried: { started_at: string; finished_at: string | null; outcome: string | null; answer: string | null }[]
}

const toMessage = (
  { notification_id: _of, next_attempt_at: next, tried, ...row }: MessageRow,
  isOperator: boolean,
) => ({
  ...row,
  next_attempt_at: row.status === 'stored' ? next.toISOString() : null,
  attempts: tried.map((attempt) => ({
    ...attempt,
    started_at: rfc3339(attempt.started_at),
    finished_at: attempt.finished_at && rfc3339(attempt.finished_at),
    answer: isOperator ? attempt.answer : null,
  })),
})

const rfc3339 = (time: string): string => new Date(time).toISOString()

/** Returns notifications with their messages, as the caller may see them. */
export async function withMessages(db: Database, rows: readonly NotificationRow[], { role }: Caller) {
  const messages = await db.query<MessageRow>({
    name: 'notification-messages',
    text: `select id, notification_id, channel, status, next_attempt_at, coalesce((
        select json_agg(json_build_object('started_at', started_at, 'finished_at', finished_at,
          'outcome', outcome, 'answer', answer) order by attempt)
        from message_attempts where message_id = m.id), '[]') as tried
      from messages m where notification_id = any ($1::uuid[]) order by id`,
    values: [rows.map(({ id }) => id)],
  })
  return rows.map((row) => ({
    ...toNotification(row),
    messages: messages
      .filter(({ notification_id: id }) => id === row.id)
      .map((one) => toMessage(one, role === 'operator')),
  }))
}

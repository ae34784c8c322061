import { route } from '../host/operation.ts'
import { uuidSchema } from '../host/schema.ts'
import { notificationWithMessages, withMessages } from './messages-of.ts'
import { notificationColumns, type NotificationRow } from './notification.ts'

const deadLetter = {
  title: 'DeadLetterOfEvent',
  type: 'object',
  additionalProperties: false,
  required: [
    ...['id', 'event_type', 'trace_id', 'destination', 'status'],
    ...['error_code', 'deliveries', 'created_at'],
  ],
  properties: {
    id: uuidSchema,
    event_type: { type: 'string' },
    trace_id: { type: ['string', 'null'], description: 'Of the `traceparent` that the event came with.' },
    destination: { type: 'string' },
    status: { type: 'string' },
    error_code: { type: ['string', 'null'] },
    deliveries: { type: 'integer' },
    created_at: { type: 'string', format: 'date-time' },
  },
} as const

interface DeadLetterOfEvent {
  id: string
  event_type: string
  trace_id: string | null
  destination: string
  status: string
  error_code: string | null
  deliveries: number
  created_at: Date
}

/** What this context knows of one event of the bank. */
export const byEvent = route({
  method: 'GET',
  path: '/notifications/by-event/{event_id}',
  who: 'signed-in',
  summary:
    'The notifications of one event, with what left the bank: the caller’s own; for operators all, and its dead letters',
  params: {
    type: 'object',
    additionalProperties: false,
    required: ['event_id'],
    properties: { event_id: { type: 'string', minLength: 1, maxLength: 200 } },
  },
  query: {
    type: 'object',
    additionalProperties: false,
    required: ['source'],
    properties: {
      source: {
        type: 'string',
        minLength: 1,
        maxLength: 200,
        description: 'The event’s source, such as /microbank/ledger.',
      },
    },
  },
  answers: {
    200: {
      title: 'ToldOfEvent',
      type: 'object',
      additionalProperties: false,
      required: ['notifications', 'dead_letters'],
      properties: {
        notifications: { type: 'array', items: notificationWithMessages },
        dead_letters: { type: 'array', items: deadLetter },
      },
    },
  },
  async handle({ params: { event_id: eventId }, query: { source }, caller }, { db }) {
    const isOperator = caller.role === 'operator'
    const rows = await db.query<NotificationRow>({
      name: 'notifications-by-event',
      text: `select ${notificationColumns} from notifications
        where event_source = $1 and event_id = $2 and ($3::uuid is null or user_id = $3) order by id`,
      values: [source, eventId, isOperator ? null : caller.userId],
    })
    const letters = isOperator
      ? await db.query<DeadLetterOfEvent>({
          name: 'dead-letters-by-event',
          text: `select id, event_type, substring(event ->> 'traceparent' from '^00-([0-9a-f]{32})-') as trace_id,
              destination, status, error_code, deliveries, created_at
            from dead_letters
            where event_source = $1 and event_id = $2 order by id`,
          values: [source, eventId],
        })
      : []
    return {
      status: 200,
      body: {
        notifications: await withMessages(db, rows, caller),
        dead_letters: letters.map((letter) => ({ ...letter, created_at: letter.created_at.toISOString() })),
      },
      about: { subject: eventId, ownerId: rows[0]?.user_id ?? null },
    }
  },
})

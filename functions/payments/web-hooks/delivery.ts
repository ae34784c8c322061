import { orNull, uuidSchema } from '../../host/schema.ts'

export const deliverySchema = {
  title: 'WebHookDelivery',
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'event_id',
    'event_type',
    'status',
    'attempts',
    'next_attempt_at',
    'last_attempt',
    'created_at',
  ],
  properties: {
    id: { ...uuidSchema, description: 'The webhook-id that its receiver sees.' },
    event_id: { type: 'string' },
    event_type: { type: 'string' },
    status: { enum: ['pending', 'delivered', 'failed'] },
    attempts: { type: 'integer', description: 'How often it was tried since it was last asked for.' },
    next_attempt_at: orNull({ type: 'string', format: 'date-time' }),
    last_attempt: orNull({
      type: 'object',
      additionalProperties: false,
      required: ['at', 'duration_ms', 'http_status', 'error', 'answer'],
      properties: {
        at: { type: 'string', format: 'date-time' },
        duration_ms: { type: 'integer' },
        http_status: { type: ['integer', 'null'] },
        error: { type: ['string', 'null'] },
        answer: { type: 'string', description: 'The first 500 bytes of its body.' },
      },
    }),
    created_at: { type: 'string', format: 'date-time' },
  },
} as const

export interface WebHookDeliveryRow {
  id: string
  event_id: string
  event_type: string
  status: 'pending' | 'delivered' | 'failed'
  attempts: number
  next_attempt_at: Date
  attempted_at: Date | null
  duration_ms: number | null
  http_status: number | null
  error: string | null
  answer: string | null
  created_at: Date
}

export const DELIVERY_COLUMNS = `id, event_id, event_type, status, attempts, next_attempt_at, attempted_at, duration_ms,
  http_status, error, answer, created_at`

/** Returns a delivery as the API shows it. */
export const toDelivery = (row: WebHookDeliveryRow) => ({
  id: row.id,
  event_id: row.event_id,
  event_type: row.event_type,
  status: row.status,
  attempts: row.attempts,
  next_attempt_at: row.status === 'pending' ? row.next_attempt_at.toISOString() : null,
  last_attempt: row.attempted_at && {
    at: row.attempted_at.toISOString(),
    duration_ms: row.duration_ms,
    http_status: row.http_status,
    error: row.error,
    answer: row.answer,
  },
  created_at: row.created_at.toISOString(),
})

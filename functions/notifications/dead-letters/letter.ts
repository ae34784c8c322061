import { orNull, uuidSchema } from '../../host/schema.ts'
import { answerOf, consumerOf } from './failure.ts'

export const letterStatuses = ['stored', 'redriven', 'discarded'] as const

const moment = { type: 'string', format: 'date-time' } as const

export const deadLetter = {
  title: 'DeadLetter',
  type: 'object',
  additionalProperties: false,
  required: [
    ...['id', 'event_id', 'event_type', 'event', 'trigger', 'group_id', 'destination'],
    ...['error_code', 'error_data', 'reason', 'hint', 'deliveries', 'status', 'created_at', 'last_at'],
    ...['redriven_at', 'came_back_at', 'discarded_at', 'discarded_by', 'discard_reason'],
    ...['redrive_id', 'is_queued', 'is_signed'],
  ],
  properties: {
    id: uuidSchema,
    event_id: { type: 'string' },
    event_type: { type: 'string' },
    event: { type: 'object', description: 'The event in the JSON format of CloudEvents.' },
    trigger: { type: 'string', description: 'The Trigger whose consumer could not process it.' },
    group_id: { ...uuidSchema, description: 'All with this Trigger, type and error.' },
    destination: { type: 'string', description: 'The address of the consumer that could not process it.' },
    error_code: { type: ['string', 'null'], description: 'Status of its last answer.' },
    error_data: { type: ['string', 'null'], description: 'Beginning of its last answer.' },
    reason: {
      type: ['string', 'null'],
      description: 'Why the consumer could not process it; null if the Broker did not keep its answer.',
    },
    hint: { type: ['string', 'null'], description: 'Where to find the reason, if it is not here.' },
    deliveries: { type: 'integer', description: 'How often the Broker gave up on it.' },
    status: { enum: letterStatuses, description: '`stored` is one that waits for somebody.' },
    created_at: moment,
    last_at: { ...moment, description: 'When the Broker last gave up on it.' },
    redriven_at: { type: ['string', 'null'], format: 'date-time' },
    came_back_at: {
      ...{ type: ['string', 'null'], format: 'date-time' },
      description: 'When it last came after it was redriven; null if it never did.',
    },
    discarded_at: { type: ['string', 'null'], format: 'date-time' },
    discarded_by: orNull(uuidSchema),
    discard_reason: { type: ['string', 'null'] },
    redrive_id: {
      ...orNull(uuidSchema),
      description: 'The redrive that it waits for, or that sent it last. Null if it was sent alone.',
    },
    is_queued: { type: 'boolean', description: 'Whether it waits for that redrive.' },
    is_signed: { type: 'boolean', description: 'Whether the context that its source names has signed it.' },
  },
} as const

export interface DeadLetterRow {
  id: string
  event_id: string
  event_type: string
  event: object
  trigger: string
  group_id: string
  destination: string
  error_code: string | null
  error_data: string | null
  deliveries: number
  status: (typeof letterStatuses)[number]
  created_at: Date
  last_at: Date
  redriven_at: Date | null
  came_back_at: Date | null
  discarded_at: Date | null
  discarded_by: string | null
  discard_reason: string | null
  redrive_id: string | null
  is_queued: boolean
  is_signed: boolean
}

/** Columns of a DeadLetterRow, of the letter `l`. */
export const letterColumns = `l.id, l.event_id, l.event_type, l.event,
  (select trigger from dead_letter_groups where id = l.group_id) as trigger, l.group_id, l.destination,
  l.error_code, l.error_data, l.deliveries, l.status, l.created_at, l.last_at, l.redriven_at, l.came_back_at,
  l.discarded_at, l.discarded_by, l.discard_reason, l.redrive_id, l.is_queued, l.is_signed`

/** Returns a dead letter as the API shows it. */
export const toLetter = (row: DeadLetterRow) => ({
  ...row,
  ...explanation(row),
  created_at: row.created_at.toISOString(),
  last_at: row.last_at.toISOString(),
  redriven_at: row.redriven_at?.toISOString() ?? null,
  came_back_at: row.came_back_at?.toISOString() ?? null,
  discarded_at: row.discarded_at?.toISOString() ?? null,
})

/** Explains why an event was not processed. Our own Broker keeps the consumer's answer, a problem whose
 * detail is the reason. Knative's Broker keeps only the status, so the hint names the log that has the
 * reason. */
function explanation({ destination, event_id: id, error_data: data }: DeadLetterRow) {
  const reason = answerOf(data)
  if (reason !== null) return { reason, hint: null }
  const consumer = consumerOf(destination) ?? 'the consumer'
  return { reason, hint: `Look for "event refused" with event_id ${id} in the log of ${consumer}.` }
}

import { orNull, uuidSchema } from '../../host/schema.ts'
import { tracesAre } from '../../host/traces/read-trace.ts'

const text = { type: 'string' } as const
const whole = { type: 'integer' } as const
const moment = { type: 'string', format: 'date-time' } as const

const storedSchema = {
  title: 'StoredEvent',
  type: 'object',
  additionalProperties: false,
  required: ['context', 'as'],
  properties: {
    context: text,
    as: {
      enum: ['event', 'fact'],
      description: '`event` is a row of the outbox; `fact` follows from the row of what it tells.',
    },
  },
} as const

const publishedSchema = {
  title: 'PublishedEvent',
  type: 'object',
  additionalProperties: false,
  required: ['state', 'at', 'attempts'],
  properties: {
    state: { enum: ['done', 'waiting'] },
    at: { ...orNull(moment), description: 'When the Broker had it. Null without spans.' },
    attempts: { ...orNull(whole), description: 'So far, while it waits.' },
  },
} as const

const deliverySchema = {
  title: 'EventDelivery',
  type: 'object',
  additionalProperties: false,
  required: ['trigger', 'attempt', 'at', 'ms', 'status', 'error', 'next_attempt_at'],
  properties: {
    trigger: text,
    attempt: whole,
    at: moment,
    ms: { type: 'number' },
    status: { ...orNull(whole), description: 'Of the answer; -1 if none came.' },
    error: orNull(text),
    next_attempt_at: orNull(moment),
  },
} as const

const effectSchema = {
  title: 'EventEffect',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'user_id', 'at'],
  properties: { id: { ...uuidSchema, description: 'Of the notification.' }, user_id: uuidSchema, at: moment },
} as const

const letterSchema = {
  title: 'EventDeadLetter',
  type: 'object',
  additionalProperties: false,
  required: ['id', 'destination', 'status', 'error_code', 'deliveries', 'created_at'],
  properties: {
    id: uuidSchema,
    destination: text,
    status: text,
    error_code: orNull(text),
    deliveries: { ...whole, description: 'How often the Broker gave up on it.' },
    created_at: moment,
  },
} as const

/** What became of an event. */
export const eventLifeSchema = {
  title: 'EventLife',
  type: 'object',
  additionalProperties: false,
  required: [
    ...['id', 'source', 'type', 'subject', 'time', 'transaction_id', 'stored', 'published'],
    ...['trace_id', 'traces', 'deliveries', 'effects', 'dead_letters'],
  ],
  properties: {
    id: text,
    source: text,
    type: orNull(text),
    subject: orNull(text),
    time: orNull(moment),
    transaction_id: { ...orNull(uuidSchema), description: 'The transaction that it tells of.' },
    stored: {
      ...orNull(storedSchema),
      description: 'Null if the ledger has not stored it: another context has, or nobody.',
    },
    published: publishedSchema,
    trace_id: orNull(text),
    traces: { enum: tracesAre },
    deliveries: {
      ...orNull({ type: 'array', items: deliverySchema }),
      description: 'Every attempt of every Trigger, oldest first. Null without spans.',
    },
    effects: {
      ...orNull({ type: 'array', items: effectSchema }),
      description: 'Notifications that it has made. Null if nobody knows.',
    },
    dead_letters: orNull({ type: 'array', items: letterSchema }),
  },
} as const

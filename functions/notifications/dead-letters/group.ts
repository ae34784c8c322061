import { orNull, uuidSchema } from '../../host/schema.ts'

export const deadLetterGroup = {
  title: 'DeadLetterGroup',
  type: 'object',
  additionalProperties: false,
  required: [
    ...['id', 'trigger', 'event_type', 'error_code', 'error', 'stored', 'redriven', 'discarded', 'came_back'],
    ...['dropped', 'first_at', 'last_at', 'redrive_id'],
  ],
  properties: {
    id: uuidSchema,
    trigger: { type: 'string' },
    event_type: { type: 'string' },
    error_code: { type: ['string', 'null'] },
    error: {
      type: ['string', 'null'],
      description: 'What the consumer said, without ids and figures; null if the Broker did not keep it.',
    },
    stored: { type: 'integer', description: 'Letters that wait for somebody.' },
    redriven: { type: 'integer' },
    discarded: { type: 'integer' },
    came_back: { type: 'integer', description: 'Those of the waiting that were redriven before.' },
    dropped: {
      type: 'integer',
      description: 'Letters without a signature of the bank that were not kept, because there were too many.',
    },
    first_at: { type: 'string', format: 'date-time' },
    last_at: { type: 'string', format: 'date-time' },
    redrive_id: { ...orNull(uuidSchema), description: 'The redrive of this group that runs.' },
  },
} as const

export interface DeadLetterGroupRow {
  id: string
  trigger: string
  event_type: string
  error_code: string | null
  error: string | null
  stored: number
  redriven: number
  discarded: number
  came_back: number
  dropped: bigint
  first_at: Date
  last_at: Date
  redrive_id: string | null
}

/** Columns of a DeadLetterGroupRow, of the group `g`. */
export const groupColumns = `g.id, g.trigger, g.event_type, g.error_code, g.error, g.stored, g.redriven,
  g.discarded, g.came_back, g.dropped, g.first_at, g.last_at,
  (select id from dead_letter_redrives where group_id = g.id and status = 'running' limit 1) as redrive_id`

/** Returns a group as the API shows it. */
export const toGroup = (row: DeadLetterGroupRow) => ({
  ...row,
  dropped: Number(row.dropped),
  first_at: row.first_at.toISOString(),
  last_at: row.last_at.toISOString(),
})

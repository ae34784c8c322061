import { redriveDue } from '../../../eventing/contracts/redrive.due.ts'
import { orNull, uuidSchema } from '../../host/schema.ts'
import type { Emitting } from '../../host/tools.ts'

export const redriveSchema = {
  title: 'DeadLetterRedrive',
  type: 'object',
  additionalProperties: false,
  required: [
    ...['id', 'group_id', 'requested_by', 'per_second', 'status', 'total', 'sent', 'failed', 'came_back'],
    ...['remaining', 'created_at', 'ended_at'],
  ],
  properties: {
    id: uuidSchema,
    group_id: { ...orNull(uuidSchema), description: 'Null if the letters were named.' },
    requested_by: uuidSchema,
    per_second: { type: 'integer' },
    status: { enum: ['running', 'completed', 'stopped'] },
    total: { type: 'integer', description: 'Letters that it was asked for.' },
    sent: { type: 'integer', description: 'Published again.' },
    failed: { type: 'integer', description: 'Refused by the Broker, or never taken; they wait as before.' },
    came_back: { type: 'integer', description: 'Of those sent, how often one came back.' },
    remaining: { type: 'integer', description: 'Still to be sent.' },
    created_at: { type: 'string', format: 'date-time' },
    ended_at: { type: ['string', 'null'], format: 'date-time' },
  },
} as const

export interface RedriveRow {
  id: string
  group_id: string | null
  requested_by: string
  per_second: number
  status: 'running' | 'completed' | 'stopped'
  total: number
  sent: number
  failed: number
  came_back: number
  remaining: number
  created_at: Date
  ended_at: Date | null
}

/** Columns of a RedriveRow, of the redrive `r`. */
export const redriveColumns = `r.id, r.group_id, r.requested_by, r.per_second, r.status, r.total, r.sent,
  r.failed, r.came_back, r.created_at, r.ended_at,
  (select count(*)::integer from dead_letters where redrive_id = r.id and is_queued) as remaining`

/** Returns a redrive as the API shows it. */
export const toRedrive = (row: RedriveRow) => ({
  ...row,
  created_at: row.created_at.toISOString(),
  ended_at: row.ended_at?.toISOString() ?? null,
})

/** Has somebody go on with a redrive. */
export const emitRedriveDue = (tx: Emitting, { id, turn }: { id: string; turn: number }): void =>
  tx.emit(redriveDue, { subject: id, partitionkey: id, data: { redrive_id: id, turn } })

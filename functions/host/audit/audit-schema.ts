import { databaseContexts } from '../../contexts.ts'
import { pageQuery } from '../database/paging.ts'
import { momentSchema } from '../moment.ts'
import { NO_CONTROLS, orNull, uuidSchema } from '../schema.ts'

const name = { type: 'string', minLength: 1, maxLength: 200, pattern: NO_CONTROLS } as const

/** Query parameters of every list of the audit. */
export const auditFilters = {
  ...pageQuery,
  caller: uuidSchema,
  owner: uuidSchema,
  subject: name,
  operation: name,
  from: momentSchema,
  to: momentSchema,
} as const

export const auditEntrySchema = {
  title: 'AuditEntry',
  type: 'object',
  additionalProperties: false,
  required: [
    'id',
    'at',
    'context',
    'caller_id',
    'caller_role',
    'via',
    'operation',
    'route',
    'subject',
    'owner_id',
    'address',
    'trace_id',
    'outcome',
    'details',
  ],
  properties: {
    id: uuidSchema,
    at: { type: 'string', format: 'date-time' },
    context: { enum: databaseContexts },
    caller_id: { ...orNull(uuidSchema), description: 'Who did it; null if nobody proved who they are.' },
    caller_role: { ...orNull({ type: 'string' }), description: 'Null if it is not known.' },
    via: { ...orNull({ type: 'string' }), description: 'The context that asked on behalf of the caller.' },
    operation: { type: 'string' },
    route: { ...orNull({ type: 'string' }), description: 'The route as declared; null if it is not known.' },
    subject: { ...orNull({ type: 'string' }), description: 'Id of the thing.' },
    owner_id: { ...orNull(uuidSchema), description: 'Whose data it is.' },
    address: { ...orNull({ type: 'string' }), description: 'Address of the client; null if unknown.' },
    trace_id: { ...orNull({ type: 'string' }), description: 'Trace of the request: 32 digits.' },
    outcome: { type: 'string' },
    details: orNull({ type: 'object' }),
  },
} as const

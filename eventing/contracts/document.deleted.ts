import type { EventContract } from './contract.ts'
import { timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface DocumentDeleted {
  document_id: Uuid
  /** Who owned the document. */
  user_id: Uuid
  /** The owner (also if the bank deleted it because they left), or an operator. */
  deleted_by: Uuid
  timestamp: Timestamp
}

export const documentDeleted: EventContract<DocumentDeleted> = {
  type: 'document.deleted',
  version: 1,
  context: 'documents',
  description: 'A document was deleted by its owner or an operator, or because its owner has left the bank.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['document_id', 'user_id', 'deleted_by', 'timestamp'],
    properties: { document_id: uuid, user_id: uuid, deleted_by: uuid, timestamp },
  },
  example: {
    document_id: '01936f0d-1a2b-7c3d-8e4f-5a6b7c8d9e0f',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    deleted_by: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    timestamp: '2026-01-06T11:00:00.000Z',
  },
}

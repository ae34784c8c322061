import type { EventContract } from './contract.ts'
import {
  documentMediaType,
  sha256,
  textOrNull,
  timestamp,
  uuid,
  type DocumentMediaType,
  type Sha256,
  type Timestamp,
  type Uuid,
} from './fields.ts'

export interface DocumentProcessed {
  document_id: Uuid
  /** Owner of the document. */
  user_id: Uuid
  media_type: DocumentMediaType
  /** `ready`, or `refused` if it is no image that can be shown. */
  status: 'ready' | 'refused'
  /** Why it was refused; null if it is ready. */
  reason: string | null
  /** Size of what customers get from now on, in bytes; of the upload, if it was refused. */
  size: number
  /** SHA-256 of the same. */
  sha256: Sha256
  timestamp: Timestamp
}

export const documentProcessed: EventContract<DocumentProcessed> = {
  type: 'document.processed',
  version: 1,
  context: 'documents',
  description: 'An image was made anew from its pixels, with a thumbnail, or was refused.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['document_id', 'user_id', 'media_type', 'status', 'reason', 'size', 'sha256', 'timestamp'],
    properties: {
      document_id: uuid,
      user_id: uuid,
      media_type: documentMediaType,
      status: { enum: ['ready', 'refused'] },
      reason: textOrNull,
      size: { type: 'integer', minimum: 1 },
      sha256,
      timestamp,
    },
  },
  example: {
    document_id: '01936f0d-1a2b-7c3d-8e4f-5a6b7c8d9e0f',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    media_type: 'image/jpeg',
    status: 'ready',
    reason: null,
    size: 1_902_115,
    sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
    timestamp: '2026-01-05T09:30:02.000Z',
  },
}

import type { EventContract } from './contract.ts'
import {
  documentMediaType,
  sha256,
  timestamp,
  uuid,
  type DocumentMediaType,
  type Sha256,
  type Timestamp,
  type Uuid,
} from './fields.ts'

export interface DocumentUploaded {
  document_id: Uuid
  /** Owner of the document. */
  user_id: Uuid
  /** `statement` if the bank filed it when it was asked to. */
  document_type: 'upload' | 'statement'
  media_type: DocumentMediaType
  /** Size of the file as it came, in bytes. */
  size: number
  /** SHA-256 of the same. */
  sha256: Sha256
  timestamp: Timestamp
}

export const documentUploaded: EventContract<DocumentUploaded> = {
  type: 'document.uploaded',
  version: 1,
  context: 'documents',
  description:
    'A customer uploaded a document, or had a statement filed. An image is processed next, all else is ready.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['document_id', 'user_id', 'document_type', 'media_type', 'size', 'sha256', 'timestamp'],
    properties: {
      document_id: uuid,
      user_id: uuid,
      document_type: { enum: ['upload', 'statement'] },
      media_type: documentMediaType,
      size: { type: 'integer', minimum: 1 },
      sha256,
      timestamp,
    },
  },
  example: {
    document_id: '01936f0d-1a2b-7c3d-8e4f-5a6b7c8d9e0f',
    user_id: '01936f0a-8b1e-7d02-9a53-0c5f4f6f9e11',
    document_type: 'upload',
    media_type: 'image/jpeg',
    size: 2_481_633,
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    timestamp: '2026-01-05T09:30:00.000Z',
  },
}

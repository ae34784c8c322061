import type { DocumentUploaded } from '../../eventing/contracts/document.uploaded.ts'
import type { EventDraft } from '../../eventing/outbox-event.ts'
import type { Transaction } from '../host/database/database.ts'
import type { Caller } from '../host/route-request.ts'
import { orNull, uuidSchema } from '../host/schema.ts'

/** The types of files that customers may upload. */
export const uploadTypes = ['image/png', 'image/jpeg', 'image/webp', 'application/pdf'] as const
export type UploadType = (typeof uploadTypes)[number]

/** The formats of statements that can be filed, as the ledger calls them. */
export const statementFormats = {
  pdf: { mediaType: 'application/pdf', extension: 'pdf' },
  csv: { mediaType: 'text/csv', extension: 'csv' },
  'camt.053': { mediaType: 'application/xml', extension: 'xml' },
} as const
export type FiledFormat = keyof typeof statementFormats

export const mediaTypes = [...uploadTypes, 'text/csv', 'application/xml'] as const
export type DocumentType = (typeof mediaTypes)[number]

export const isImage = (mediaType: DocumentType): boolean => mediaType.startsWith('image/')

export const documentSchema = {
  title: 'Document',
  type: 'object',
  additionalProperties: false,
  required: [
    'public_id',
    'user_id',
    'by_bank',
    'document_type',
    'statement',
    'status',
    'reason',
    'file_name',
    'media_type',
    'size',
    'sha256',
    'width',
    'height',
    'url',
    'thumbnail_url',
    'created_at',
  ],
  properties: {
    public_id: uuidSchema,
    user_id: uuidSchema,
    by_bank: { type: 'boolean', description: 'Whether an operator uploaded it for the customer.' },
    document_type: { enum: ['upload', 'statement'] },
    statement: orNull({
      type: 'object',
      additionalProperties: false,
      required: ['account_id', 'from', 'to', 'format', 'seal'],
      properties: {
        account_id: uuidSchema,
        from: { type: 'string', format: 'date-time' },
        to: { type: 'string', format: 'date-time' },
        format: { enum: Object.keys(statementFormats) },
        seal: orNull({
          type: 'integer',
          description:
            'The seal whose checkpoint it has. Null if it was filed before that; file it again to get it.',
        } as const),
      },
      description: 'What it is a statement of; null for an upload.',
    } as const),
    status: {
      enum: ['processing', 'ready', 'refused'],
      description: 'An image can be downloaded once it is ready; then its size and sha256 are other ones.',
    },
    reason: { type: ['string', 'null'], description: 'Why it was refused.' },
    file_name: { type: 'string', 'x-personal': true },
    media_type: { enum: mediaTypes },
    size: { type: 'integer', description: 'In bytes.' },
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    width: { type: ['integer', 'null'], description: 'In pixels; null if it is no image.' },
    height: { type: ['integer', 'null'] },
    url: { type: 'string' },
    thumbnail_url: orNull({ type: 'string', description: 'Null if it is no image.' }),
    created_at: { type: 'string', format: 'date-time' },
  },
} as const

/** Schema of the parameters of a path with `{public_id}`. */
export const documentParams = {
  type: 'object',
  additionalProperties: false,
  required: ['public_id'],
  properties: { public_id: uuidSchema },
} as const

export interface DocumentRow {
  id: string
  user_id: string
  uploaded_by: string | null
  document_type: 'upload' | 'statement'
  account_id: string | null
  period_from: Date | null
  period_to: Date | null
  seal: bigint | null
  status: 'processing' | 'ready' | 'refused'
  reason: string | null
  file_name: string
  media_type: DocumentType
  bytes: number
  sha256: Buffer
  width: number | null
  height: number | null
  file_id: string | null
  thumbnail_id: string | null
  created_at: Date
}

export const DOCUMENT_COLUMNS = `id, user_id, uploaded_by, document_type, account_id, period_from, period_to, seal, status,
  reason, file_name, media_type, bytes, sha256, width, height, file_id, thumbnail_id, created_at`

export const toDocument = (row: DocumentRow) => ({
  public_id: row.id,
  user_id: row.user_id,
  by_bank: row.uploaded_by !== null,
  document_type: row.document_type,
  statement: row.document_type === 'statement' ? statementOf(row) : null,
  status: row.status,
  reason: row.reason,
  file_name: row.file_name,
  media_type: row.media_type,
  size: row.bytes,
  sha256: row.sha256.toString('hex'),
  width: row.width,
  height: row.height,
  url: `/api/media/${row.id}`,
  thumbnail_url: isImage(row.media_type) ? `/api/media/${row.id}/thumbnail` : null,
  created_at: row.created_at.toISOString(),
})

const statementOf = ({ account_id, period_from, period_to, media_type, seal }: DocumentRow) => ({
  account_id,
  from: period_from!.toISOString(),
  to: period_to!.toISOString(),
  format: Object.entries(statementFormats).find(([, { mediaType }]) => mediaType === media_type)![0],
  seal: seal === null ? null : Number(seal),
})

/** Returns what is stated of a document that is there. */
export const uploadedEvent = (row: DocumentRow): EventDraft<DocumentUploaded> => ({
  subject: row.id,
  partitionkey: row.user_id,
  data: {
    document_id: row.id,
    user_id: row.user_id,
    document_type: row.document_type,
    media_type: row.media_type,
    size: row.bytes,
    sha256: row.sha256.toString('hex'),
    timestamp: row.created_at.toISOString(),
  },
})

/** Returns a document that the caller may see: their own, and to an operator anybody's. */
export async function findDocument(
  tx: Transaction,
  id: string,
  caller: Pick<Caller, 'userId' | 'role'>,
): Promise<DocumentRow | undefined> {
  const [row] = await tx.query<DocumentRow>({
    name: 'document-find',
    text: `select ${DOCUMENT_COLUMNS} from documents where id = $1 and ($2::uuid is null or user_id = $2)`,
    values: [id, caller.role === 'operator' ? null : caller.userId],
  })
  return row
}

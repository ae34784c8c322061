import { documentUploaded } from '../../eventing/contracts/document.uploaded.ts'
import type { Config } from '../host/config.ts'
import type { Transaction } from '../host/database/database.ts'
import { problem } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Emitting } from '../host/tools.ts'
import {
  DOCUMENT_COLUMNS,
  isImage,
  toDocument,
  uploadedEvent,
  type DocumentRow,
  type DocumentType,
} from './document.ts'
import { leftRefusal } from './left-customers.ts'
import { documentProblems } from './refusals.ts'
import { keep, type NewFile, type Stores } from './stores/stores.ts'

const MIB = 1024 * 1024
/** The largest file of a document. */
export const FILE_BYTES_MAX = 10 * MIB

export interface NewDocument {
  userId: string
  type: 'upload' | 'statement'
  mediaType: DocumentType
  fileName: string
  bytes: number
  sha256: Buffer
  fileId: string
  /** The operator who uploaded it for its owner. */
  uploadedBy?: string | null
  /** Of a statement only. */
  period?: FiledPeriod
}

/** Whose statement of which period. */
export interface FiledPeriod {
  userId: string
  accountId: string
  from: Date
  to: Date
}

/** Writes a file to a store, and calls `file` to give it to a document. Removes it again if no document got
 * it: `file` failed, refused, or found that another request had been first. */
export async function storeAndFile(
  written: NewFile,
  stores: Stores,
  file: (fileId: string) => Promise<Reply>,
): Promise<Reply> {
  const fileId = await stores.write(written)
  let isKept = false
  try {
    const reply = await file(fileId)
    isKept = reply.status === 201 && !reply.headers?.['idempotency-replayed']
    return reply
  } finally {
    // If it was committed nevertheless, a document has the file, and it is not removed.
    if (!isKept) await stores.remove([fileId])
  }
}

/** Stores a document, if its owner has room for it. Answers 200, with the one that is there, if it is a
 * statement that was filed before. */
export async function fileDocument(tx: Emitting, document: NewDocument, config: Config): Promise<Reply> {
  const { userId, type, mediaType, fileName, bytes, sha256, fileId, uploadedBy = null, period } = document
  // Documents of one customer are filed one after the other, so together they can't pass the limit.
  await tx.query({
    name: 'documents-lock',
    text: `select pg_advisory_xact_lock(hashtextextended('documents of ' || $1, 0))`,
    values: [userId],
  })
  const early =
    (await leftRefusal(tx, userId)) ??
    (period && (await filedBefore(tx, period, mediaType))) ??
    (await roomRefusal(tx, bytes, userId, config))
  if (early) return early
  await keep(tx, [fileId])
  const [row] = await tx.query<DocumentRow>({
    name: 'document-insert',
    text: `insert into documents (user_id, document_type, status, file_name, media_type, bytes, sha256, file_id,
        account_id, period_from, period_to, uploaded_by)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning ${DOCUMENT_COLUMNS}`,
    values: [
      ...[
        userId,
        type,
        isImage(mediaType) ? 'processing' : 'ready',
        fileName,
        mediaType,
        bytes,
        sha256,
        fileId,
      ],
      ...[period?.accountId ?? null, period?.from ?? null, period?.to ?? null, uploadedBy],
    ],
  })
  tx.emit(documentUploaded, uploadedEvent(row!))
  return found(201, row!)
}

/** Returns the answer (200) with a statement that was filed before; undefined if there is none. */
export async function filedBefore(
  tx: Transaction,
  { userId, accountId, from, to }: FiledPeriod,
  mediaType: DocumentType,
): Promise<Reply | undefined> {
  const [row] = await tx.query<DocumentRow>({
    name: 'statement-filed',
    text: `select ${DOCUMENT_COLUMNS} from documents
      where document_type = 'statement' and user_id = $1 and account_id = $2 and period_from = $3 and period_to = $4
        and media_type = $5`,
    values: [userId, accountId, from, to, mediaType],
  })
  return row && found(200, row)
}

function found(status: 200 | 201, row: DocumentRow): Reply {
  const document = toDocument(row)
  return {
    status,
    headers: { location: document.url },
    body: document,
    about: { subject: row.id, ownerId: row.user_id, ...(status === 200 && { outcome: 'read' }) },
  }
}

/** Returns the refusal (409) of a document for which its owner has no room; undefined if there is room. */
export async function roomRefusal(
  tx: Transaction,
  bytes: number,
  userId: string,
  { DOCUMENTS_PER_CUSTOMER_MAX: countMax, DOCUMENT_MIB_PER_CUSTOMER_MAX: mibMax }: Config,
): Promise<Reply | undefined> {
  const [used] = await tx.query<{ count: number; bytes: bigint }>({
    name: 'documents-used',
    text: `select count(*)::int as count, coalesce(sum(bytes) filter (where file_id is not null), 0)::bigint as bytes
      from documents where user_id = $1`,
    values: [userId],
  })
  if (used!.count >= countMax)
    return problem(
      documentProblems.limitReached,
      `The customer has ${used!.count} documents, and may have ${countMax}.`,
    )
  if (Number(used!.bytes) + bytes > mibMax * MIB)
    return problem(
      documentProblems.limitReached,
      `The documents of a customer may have ${mibMax} MiB together.`,
    )
  return undefined
}

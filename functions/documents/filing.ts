import { documentUploaded } from '../../eventing/contracts/document.uploaded.ts'
import { UnavailableError } from '../../eventing/unavailable.ts'
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
import { keep, letGo, type NewFile, type Stores } from './stores/stores.ts'

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
  statement?: NewStatement
}

export interface NewStatement {
  period: FiledPeriod
  /** The seal whose checkpoint it has, if it has one already. */
  seal: bigint | null
}

/** Whose statement of which period. */
export interface FiledPeriod {
  userId: string
  accountId: string
  from: Date
  to: Date
}

/** Writes a file to a store, and calls `file` to give it to a document. Removes it again if no document got
 * it: `file` failed, refused, or found that another request had been first. (A file that a document has is
 * not removed.) */
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
    if (!isKept) await stores.remove([fileId])
  }
}

/** Stores a document, if its owner has room for it. If it is a statement that was filed before, answers 200
 * with the one that is there; that gets the new file if it had no checkpoint and this one has. */
export async function fileDocument(tx: Emitting, document: NewDocument, config: Config): Promise<Reply> {
  const { userId, type, mediaType, fileName, bytes, sha256, fileId, uploadedBy = null, statement } = document
  const { period, seal = null } = statement ?? {}
  // Documents of one customer are filed one after the other, so together they can't pass the limit.
  await tx.query({
    name: 'documents-lock',
    text: `select pg_advisory_xact_lock(hashtextextended('documents of ' || $1, 0))`,
    values: [userId],
  })
  const early =
    (await leftRefusal(tx, userId)) ??
    (period && (await fileAgain(tx, document))) ??
    (await roomRefusal(tx, bytes, userId, config))
  if (early) return early
  await keep(tx, [fileId])
  const [row] = await tx.query<DocumentRow>({
    name: 'document-insert',
    text: `insert into documents (user_id, document_type, status, file_name, media_type, bytes, sha256, file_id,
        account_id, period_from, period_to, uploaded_by, seal)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning ${DOCUMENT_COLUMNS}`,
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
      ...[period?.accountId ?? null, period?.from ?? null, period?.to ?? null, uploadedBy, seal],
    ],
  })
  tx.emit(documentUploaded, uploadedEvent(row!))
  return found(201, row!, 'changed')
}

/** Returns the answer (200) with a statement that was filed before; undefined if there is none. What it says
 * stays. But a statement that was filed before it was sealed gets the checkpoint, with the file that has
 * it. */
async function fileAgain(
  tx: Emitting,
  { statement, mediaType, fileId, bytes, sha256 }: NewDocument,
): Promise<Reply | undefined> {
  const { period, seal } = statement!
  const filed = await findFiled(tx, period, mediaType)
  if (!filed || filed.seal !== null || seal === null) return filed && filedReply(filed)
  const [row] = await tx.query<DocumentRow>({
    name: 'statement-sealed',
    text: `update documents set file_id = $2, bytes = $3, sha256 = $4, seal = $5 where id = $1
      returning ${DOCUMENT_COLUMNS}`,
    values: [filed.id, fileId, bytes, sha256, seal],
  })
  if (!row) throw deletedMeanwhile()
  await keep(tx, [fileId])
  await letGo(tx, [filed.file_id])
  tx.emit(documentUploaded, uploadedEvent(row))
  return found(200, row, 'changed')
}

/** The document is deleted by another request between two statements of this one. */
export const deletedMeanwhile = (): UnavailableError =>
  new UnavailableError('the statement that was filed was deleted a moment ago')

/** Returns the answer (200) with a statement that is filed already. */
export const filedReply = (row: DocumentRow): Reply => found(200, row, 'read')

/** Finds a statement that was filed before. */
export async function findFiled(
  tx: Transaction,
  { userId, accountId, from, to }: FiledPeriod,
  mediaType: DocumentType,
): Promise<DocumentRow | undefined> {
  const [row] = await tx.query<DocumentRow>({
    name: 'statement-filed',
    text: `select ${DOCUMENT_COLUMNS} from documents
      where document_type = 'statement' and user_id = $1 and account_id = $2 and period_from = $3 and period_to = $4
        and media_type = $5`,
    values: [userId, accountId, from, to, mediaType],
  })
  return row
}

function found(status: 200 | 201, row: DocumentRow, outcome: 'changed' | 'read'): Reply {
  const document = toDocument(row)
  return {
    status,
    headers: { location: document.url },
    body: document,
    about: { subject: row.id, ownerId: row.user_id, outcome },
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

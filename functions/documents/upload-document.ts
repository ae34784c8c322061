import { documentUploaded } from '../../eventing/contracts/document.uploaded.ts'
import { earlierReply, once } from '../host/database/idempotency.ts'
import type { Transaction } from '../host/database/database.ts'
import { operation, route } from '../host/operation.ts'
import { ProblemError, problem } from '../host/problems.ts'
import type { Reply } from '../host/reply.ts'
import type { Caller } from '../host/route-request.ts'
import type { Emitting, Tools } from '../host/tools.ts'
import {
  DOCUMENT_COLUMNS,
  documentSchema,
  isImage,
  toDocument,
  type DocumentRow,
  type DocumentType,
} from './document.ts'
import { documentProblems } from './refusals.ts'
import { createStores, keep, storeSettings, type Stores } from './stores/stores.ts'
import { safeName } from './uploads/file-name.ts'
import { typeOf } from './uploads/file-type.ts'
import type { Spool } from './uploads/spool.ts'

const MIB = 1024 * 1024
const FILE_BYTES_MAX = 10 * MIB
/** What the framing of a multipart body may add to the file. */
const FRAMING_BYTES_MAX = 64 * 1024

/** A file that has arrived completely, and is one of the accepted types. */
interface ReceivedFile {
  mediaType: DocumentType
  fileName: string
  bytes: number
  sha256: Buffer
}

export default operation({
  name: 'upload-document',
  context: 'documents',
  summary: 'Takes a document: an image or a PDF',
  needs: storeSettings,
  state: createStores,
  routes: [
    route({
      method: 'POST',
      path: '/media/upload',
      who: 'signed-in',
      summary: 'Upload a file as multipart/form-data, in the field "file": png, jpeg, webp or pdf',
      streamedBodyBytesMax: FILE_BYTES_MAX + FRAMING_BYTES_MAX,
      answers: { 201: documentSchema },
      problems: Object.values(documentProblems),
      idempotent: true,
      async handle({ bodyStream, caller, traceparent }, tools, stores: Stores) {
        // Every cold start would load these before the port opens.
        const { Spool } = await import('./uploads/spool.ts')
        const { receiveFile } = await import('./uploads/receive-file.ts')
        const spool = await Spool.open()
        try {
          const name = await receiveFile(bodyStream!, spool, FILE_BYTES_MAX)
          const received = await examine(spool, name)
          const key = bodyStream!.keyFor({ sha256: received.sha256.toString('hex') })
          const early =
            (await earlierReply(tools.db, key)) ?? (await refusal(tools.db, received, caller, tools))
          if (early) return early
          const fileId = await stores.write({ ...received, pieces: () => spool.pieces() })
          const reply = await tools
            .transact(traceparent, (tx) =>
              once(tx, 'upload-document', key, () => file(tx, { ...received, fileId }, caller, tools)),
            )
            .catch(async (error: unknown) => {
              // If it was committed nevertheless, a document has the file, and it is not removed.
              await stores.remove([fileId])
              throw error
            })
          // Another request with the same key was first, or the last room is taken.
          if (reply.status !== 201 || reply.headers?.['idempotency-replayed']) await stores.remove([fileId])
          return reply
        } finally {
          await spool.close()
        }
      },
    }),
  ],
})

/** Throws a ProblemError (415) for a file of another type, an empty one too. */
async function examine(spool: Spool, name: string | undefined): Promise<ReceivedFile> {
  const { head, tail } = await spool.edges()
  const mediaType = typeOf(head, tail)
  if (!mediaType)
    throw new ProblemError(
      documentProblems.typeNotAccepted,
      spool.bytes === 0
        ? 'The file is empty.'
        : 'By its content, the file is neither PNG, JPEG, WebP nor PDF. Its name does not matter.',
    )
  return { mediaType, fileName: safeName(name, mediaType), bytes: spool.bytes, sha256: spool.digest() }
}

/** Stores the document, if its owner has room for it. */
async function file(
  tx: Emitting,
  received: ReceivedFile & { fileId: string },
  caller: Caller,
  tools: Tools,
): Promise<Reply> {
  // Uploads of one customer pass here one after the other, so that together they can't pass the limit.
  await tx.query({
    name: 'documents-lock',
    text: `select pg_advisory_xact_lock(hashtextextended('documents of ' || $1, 0))`,
    values: [caller.userId],
  })
  const refused = await refusal(tx, received, caller, tools)
  if (refused) return refused
  await keep(tx, [received.fileId])
  const { mediaType, fileName, bytes, sha256, fileId } = received
  const [row] = await tx.query<DocumentRow>({
    name: 'document-insert',
    text: `insert into documents (user_id, status, file_name, media_type, bytes, sha256, file_id)
      values ($1, $2, $3, $4, $5, $6, $7) returning ${DOCUMENT_COLUMNS}`,
    values: [
      caller.userId,
      isImage(mediaType) ? 'processing' : 'ready',
      fileName,
      mediaType,
      bytes,
      sha256,
      fileId,
    ],
  })
  const document = toDocument(row!)
  const { public_id: id, size, created_at } = document
  tx.emit(documentUploaded, {
    subject: id,
    partitionkey: caller.userId,
    data: {
      document_id: id,
      user_id: caller.userId,
      media_type: mediaType,
      size,
      sha256: document.sha256,
      timestamp: created_at,
    },
  })
  const about = { subject: id, ownerId: caller.userId }
  return { status: 201, headers: { location: document.url }, body: document, about }
}

/** Returns the refusal (409) of a document for which its owner has no room; undefined if there is room. */
async function refusal(
  tx: Transaction,
  { bytes }: ReceivedFile,
  { userId }: Caller,
  { config: { DOCUMENTS_PER_CUSTOMER_MAX: countMax, DOCUMENT_MIB_PER_CUSTOMER_MAX: mibMax } }: Tools,
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
      `You have ${used!.count} documents, and may have ${countMax}.`,
    )
  if (Number(used!.bytes) + bytes > mibMax * MIB)
    return problem(documentProblems.limitReached, `Your documents may have ${mibMax} MiB together.`)
  return undefined
}

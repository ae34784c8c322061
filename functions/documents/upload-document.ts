import { located } from '../host/answer-of.ts'
import { earlierReply, once } from '../host/database/idempotency.ts'
import { operation, route } from '../host/operation.ts'
import { ProblemError, problems } from '../host/problems.ts'
import { uuidSchema } from '../host/schema.ts'
import { documentSchema, type UploadType } from './document.ts'
import { FILE_BYTES_MAX, fileDocument, roomRefusal, storeAndFile } from './filing.ts'
import { documentProblems } from './refusals.ts'
import { createStores, storeSettings, type Stores } from './stores/stores.ts'
import { safeName } from './uploads/file-name.ts'
import { typeOf } from './uploads/file-type.ts'
import { ownerOf } from './uploads/owner-of.ts'
import type { Spool } from './uploads/spool.ts'

/** What the framing of a multipart body may add to the file. */
const FRAMING_BYTES_MAX = 64 * 1024

/** A file that has arrived completely, and is one of the accepted types. */
interface ReceivedFile {
  mediaType: UploadType
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
      summary:
        'Upload a file as multipart/form-data, in the field "file": png, jpeg, webp or pdf; ' +
        'operators may upload for a user_id',
      query: { type: 'object', additionalProperties: false, properties: { user_id: uuidSchema } },
      streamedBodyBytesMax: FILE_BYTES_MAX + FRAMING_BYTES_MAX,
      multipart: {
        type: 'object',
        additionalProperties: false,
        required: ['file'],
        properties: { file: { type: 'string', contentMediaType: 'application/octet-stream' } },
      },
      answers: { 201: located(documentSchema) },
      problems: [
        problems.forbidden,
        problems.notFound,
        documentProblems.notMultipart,
        documentProblems.typeNotAccepted,
        documentProblems.fileTooLarge,
        documentProblems.limitReached,
        documentProblems.customerLeft,
        problems.tooManyRequests,
      ],
      rate: { policy: 'uploads', per: 'caller', quota: 'UPLOAD_RATE' },
      idempotent: true,
      async handle(request, tools, stores: Stores) {
        const { bodyStream, caller, query, traceparent } = request
        const userId = await ownerOf(query.user_id, request, tools)
        const uploadedBy = userId === caller.userId ? null : caller.userId
        // Every cold start would load these before the port opens.
        const { Spool } = await import('./uploads/spool.ts')
        const { receiveFile } = await import('./uploads/receive-file.ts')
        const spool = await Spool.open()
        try {
          const name = await receiveFile(bodyStream!, spool, FILE_BYTES_MAX)
          const received = await examine(spool, name)
          const key = bodyStream!.keyFor({
            sha256: received.sha256.toString('hex'),
            ...(uploadedBy !== null && { user_id: userId }),
          })
          const early =
            (await earlierReply(tools.db, key)) ??
            (await roomRefusal(tools.db, received.bytes, userId, tools.config))
          if (early) return early
          return await storeAndFile({ ...received, pieces: () => spool.pieces() }, stores, (fileId) =>
            tools.transact(traceparent, (tx) =>
              once(tx, 'upload-document', key, () =>
                fileDocument(tx, { ...received, type: 'upload', userId, uploadedBy, fileId }, tools.config),
              ),
            ),
          )
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

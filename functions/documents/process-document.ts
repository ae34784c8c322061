import { createHash } from 'node:crypto'
import { documentProcessed } from '../../eventing/contracts/document.processed.ts'
import { documentUploaded, type DocumentUploaded } from '../../eventing/contracts/document.uploaded.ts'
import { operation } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'
import { DOCUMENT_COLUMNS, type DocumentRow, type UploadType } from './document.ts'
import type { MadeImage, ImageOutcome } from './images/make-anew.ts'
import { createStores, keep, letGo, storeSettings, type Stores } from './stores/stores.ts'

/** Makes an uploaded image anew from its pixels, so that nothing else of the upload remains: no place where a
 * photo was taken, no second file behind the image. The state of the document is its inbox: only one
 * delivery finds it in processing. */
export default operation({
  name: 'process-document',
  context: 'documents',
  summary: 'Makes uploaded images anew, without metadata, and their thumbnails',
  needs: storeSettings,
  state: createStores,
  consumes: {
    contracts: [documentUploaded],
    async receive(event, tools, stores: Stores, { traceparent }) {
      const { document_id: id } = event.data as DocumentUploaded
      const [document] = await tools.db.query<DocumentRow>({
        name: 'document-to-process',
        text: `select ${DOCUMENT_COLUMNS} from documents where id = $1 and status = 'processing'`,
        values: [id],
      })
      // It is a PDF, or was processed or deleted before.
      if (!document) return
      // Loaded here only: it is a program of 17 MB.
      const { makeAnew } = await import('./images/make-anew.ts')
      const outcome = await makeAnew(await wholeFile(stores, document), document.media_type as UploadType)
      if (outcome.kind === 'refused')
        tools.log.info('an image was refused', { document: id, reason: outcome.reason })
      await replace(document, outcome, tools, stores, traceparent)
    },
  },
})

/** An upload has at most 10 MB, and a process works at one at a time. */
async function wholeFile(stores: Stores, { file_id }: DocumentRow): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stores.read(file_id!)) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Gives the document its new bytes, and removes the old ones. A crash before the commit leaves files that
 * the sweep removes; the event comes again. */
async function replace(
  document: DocumentRow,
  outcome: ImageOutcome,
  tools: Tools,
  stores: Stores,
  traceparent: string,
): Promise<void> {
  const written: string[] = []
  const write = async (bytes: Buffer, mediaType: string): Promise<string> => {
    const id = await stores.write({ ...about(bytes), mediaType, pieces: () => piecesOf(bytes) })
    written.push(id)
    return id
  }
  try {
    const fileId = outcome.kind === 'made' ? await write(outcome.image, document.media_type) : null
    const thumbnailId = outcome.kind === 'made' ? await write(outcome.thumbnail, 'image/webp') : null
    const isReplaced = await tools.transact(traceparent, async (tx) => {
      const after = changed(document, outcome)
      const rows = await tx.query({
        name: 'document-processed',
        text: `update documents set status = $3, reason = $4, bytes = $5, sha256 = $6, width = $7, height = $8,
            file_id = $9, thumbnail_id = $10
          where id = $1 and status = 'processing' and file_id = $2 returning id`,
        values: [
          ...[document.id, document.file_id, after.status, after.reason, after.bytes, after.sha256],
          ...[after.width, after.height, fileId, thumbnailId],
        ],
      })
      // Another delivery was faster, or the document has been deleted.
      if (rows.length === 0) return false
      await keep(tx, written)
      await letGo(tx, [document.file_id])
      tx.emit(documentProcessed, {
        subject: document.id,
        partitionkey: document.user_id,
        data: {
          document_id: document.id,
          user_id: document.user_id,
          media_type: document.media_type,
          status: after.status,
          reason: after.reason,
          size: after.bytes,
          sha256: after.sha256.toString('hex'),
          timestamp: new Date().toISOString(),
        },
      })
      return true
    })
    await stores.remove(isReplaced ? [document.file_id] : written)
  } catch (error) {
    // What a document has got nevertheless is not removed.
    await stores.remove(written)
    throw error
  }
}

const about = (bytes: Buffer) => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest(),
})

function changed(document: DocumentRow, outcome: ImageOutcome) {
  if (outcome.kind === 'refused')
    return {
      ...({ status: 'refused', reason: outcome.reason, width: null, height: null } as const),
      ...{ bytes: document.bytes, sha256: document.sha256 },
    }
  const { image, width, height }: MadeImage = outcome
  return { status: 'ready', reason: null, ...about(image), width, height } as const
}

const PIECE_BYTES = 256 * 1024

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES)
}

import { documentDeleted } from '../../eventing/contracts/document.deleted.ts'
import { operation, route } from '../host/operation.ts'
import { problems } from '../host/problems.ts'
import { documentParams, findDocument } from './document.ts'
import { noSuchDocument } from './refusals.ts'
import { createStores, letGo, storeSettings, type Stores } from './stores/stores.ts'

export default operation({
  name: 'delete-document',
  context: 'documents',
  summary: 'Deletes a document and its bytes',
  needs: storeSettings,
  state: createStores,
  routes: [
    route({
      method: 'DELETE',
      path: '/media/{public_id}',
      who: 'signed-in',
      summary: 'Delete a document; its bytes are removed at once, or when their store is back',
      params: documentParams,
      answers: { 204: undefined },
      problems: [problems.notFound],
      async handle({ params: { public_id: id }, caller, traceparent }, tools, stores: Stores) {
        const { files, ...reply } = await tools.transact(traceparent, async (tx) => {
          const document = await findDocument(tx, id, caller)
          const deleted = document && (await tx.query(deletion(document.id)))
          // Somebody else may have been faster.
          if (!document || deleted?.length === 0) return { ...noSuchDocument(id), files: [] }
          const [{ file_id, thumbnail_id } = document] = deleted as [typeof document]
          const ids = [file_id, thumbnail_id]
          await letGo(tx, ids)
          tx.emit(documentDeleted, {
            subject: document.id,
            partitionkey: document.user_id,
            data: {
              document_id: document.id,
              user_id: document.user_id,
              deleted_by: caller.userId,
              timestamp: new Date().toISOString(),
            },
          })
          const about = { subject: document.id, ownerId: document.user_id }
          return { status: 204, about, files: ids }
        })
        await stores.remove(files)
        return reply
      },
    }),
  ],
})

/** Returns the files that the document has now: it may have been processed a moment ago. */
const deletion = (id: string) => ({
  name: 'document-delete',
  text: 'delete from documents where id = $1 returning file_id, thumbnail_id',
  values: [id],
})

import { documentUploaded } from '../../eventing/contracts/document.uploaded.ts'
import type { Tools } from '../host/tools.ts'
import { DOCUMENT_COLUMNS, uploadedEvent, type DocumentRow } from './document.ts'

/** An image that is still not processed after this time: its event may be a dead letter, because the store
 * was away for long. Each further wait is twice as long, so that it ends soon after the store is back. */
const PROCESSING_TIME = '15 minutes'
/** An image that ends each process that touches it must not do so for ever: three weeks. */
const TIMES_STATED_MAX = 12
const AT_ONCE = 20

/** States again that a document was uploaded, for images that are still not processed. If that was stated in
 * the future, the clock was set back since. */
export async function stateAgain(tools: Tools, traceparent: string): Promise<void> {
  await tools.transact(traceparent, async (tx) => {
    const late = await tx.query<DocumentRow>({
      name: 'documents-late',
      text: `update documents set stated_at = now(), times_stated = times_stated + 1 where id = any (array(
          select id from documents
          where status = 'processing' and times_stated < $1
            and stated_at not between now() - interval '${PROCESSING_TIME}' * 2 ^ (times_stated - 1)
              and now() + interval '1 minute'
          order by stated_at limit $2 for update skip locked
        ))
        returning ${DOCUMENT_COLUMNS}`,
      values: [TIMES_STATED_MAX, AT_ONCE],
    })
    for (const document of late) tx.emit(documentUploaded, uploadedEvent(document))
    // It is no Reply, and changes nothing that is audited.
    return undefined
  })
}

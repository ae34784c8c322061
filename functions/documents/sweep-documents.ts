import { sweepOutbox } from '../host/database/sweep.ts'
import { operation } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'
import { forgetLeft } from './left-customers.ts'
import { stateAgain } from './state-again.ts'
import { createStores, storeSettings, type Stores } from './stores/stores.ts'
import { moveToS3, removeMoved, removeOrphans } from './stores/sweep-stores.ts'

/** Milliseconds for each of three tasks: to delete documents, to move files and to remove files. After them a
 * task begins with no further file or step. Together with what S3 may take for the last one, less than the
 * function's `timeoutSeconds`. */
const TASK_MS_MAX = 4_000

/** Publishes events that a crash left in the outbox, deletes the documents of customers who left, and tidies
 * the stores. A PingSource calls it. */
export default operation({
  name: 'sweep-documents',
  context: 'documents',
  summary:
    'Publishes events that were left in the outbox, deletes documents of customers who left, moves files to S3 and removes those of nobody',
  needs: storeSettings,
  state: createStores,
  consumes: {
    contracts: 'any',
    async receive(event, tools, stores: Stores, delivery) {
      try {
        await stateAgain(tools, delivery.traceparent)
        await forgetLeft(tools, stores, delivery.traceparent, performance.now() + TASK_MS_MAX)
        await tidyStores(tools, stores)
      } finally {
        // Whatever the stores do, events must not stay.
        await sweepOutbox.receive(event, tools, undefined, delivery)
      }
    },
  },
})

async function tidyStores(tools: Tools, stores: Stores): Promise<void> {
  const endsAt = performance.now() + TASK_MS_MAX
  await moveToS3(tools, stores, endsAt)
  await removeMoved(tools, stores, endsAt)
  await removeOrphans(tools, stores, performance.now() + TASK_MS_MAX)
}

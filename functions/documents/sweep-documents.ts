import { sweepOutbox } from '../host/database/sweep.ts'
import { operation } from '../host/operation.ts'
import { stateAgain } from './state-again.ts'
import { createStores, storeSettings, type Stores } from './stores/stores.ts'
import { moveToS3, removeMoved, removeOrphans } from './stores/sweep-stores.ts'

/** Publishes events that a crash left in the outbox, and tidies the stores. A PingSource calls it. */
export default operation({
  name: 'sweep-documents',
  context: 'documents',
  summary: 'Publishes events that were left in the outbox, moves files to S3 and removes those of nobody',
  needs: storeSettings,
  state: createStores,
  consumes: {
    contracts: 'any',
    async receive(event, tools, stores: Stores, delivery) {
      await stateAgain(tools, delivery.traceparent)
      await moveToS3(tools, stores)
      await removeMoved(tools)
      await removeOrphans(tools, stores)
      await sweepOutbox.receive(event, tools, undefined, delivery)
    },
  },
})

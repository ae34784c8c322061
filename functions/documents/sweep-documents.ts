import { sweepOutbox } from '../host/database/sweep.ts'
import { operation } from '../host/operation.ts'

/** Publishes events that a crash left in the outbox. A PingSource calls it. */
export default operation({
  name: 'sweep-documents',
  context: 'documents',
  summary: 'Publishes events of the documents context that were left in its outbox',
  consumes: sweepOutbox,
})

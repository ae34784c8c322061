import { sweepOutbox } from '../host/database/sweep.ts'
import { operation } from '../host/operation.ts'

/** Publishes what a crash kept from being published; a PingSource calls it. */
export default operation({
  name: 'sweep-notifications',
  context: 'notifications',
  summary: 'Publishes events of the notifications context that were left in its outbox',
  consumes: sweepOutbox,
})

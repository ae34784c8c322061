import { sweepOutbox } from '../../eventing/sweep.ts'
import { operation } from '../../knative/host/operation.ts'

/** Publishes what a crash kept from being published; a PingSource calls it. */
export default operation({
  name: 'sweep-notifications',
  context: 'notifications',
  summary: 'Publishes events of the notifications context that were left in its outbox',
  consumes: sweepOutbox,
})

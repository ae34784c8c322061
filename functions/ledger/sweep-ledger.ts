import { sweepOutbox } from '../../eventing/sweep.ts'
import { operation } from '../../knative/host/operation.ts'

/** Publishes what a crash kept from being published; a PingSource calls it. */
export default operation({
  name: 'sweep-ledger',
  context: 'ledger',
  summary: 'Publishes events of the ledger context that were left in its outbox',
  consumes: sweepOutbox,
})

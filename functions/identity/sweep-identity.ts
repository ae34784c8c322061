import { sweepOutbox } from '../../eventing/sweep.ts'
import { operation } from '../../knative/host/operation.ts'
import { sweepIdentity } from './sweep.ts'

/** Publishes what a crash kept from being published, and tidies up; a PingSource calls it. */
export default operation({
  name: 'sweep-identity',
  context: 'identity',
  summary:
    'Publishes events of the identity context that were left in its outbox, and clears away what has expired',
  consumes: {
    ...sweepOutbox,
    async receive(event, services, ...rest) {
      await sweepIdentity(services.db)
      await sweepOutbox.receive(event, services, ...rest)
    },
  },
})

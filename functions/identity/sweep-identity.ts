import { sweepOutbox } from '../host/database/sweep.ts'
import { operation } from '../host/operation.ts'
import { sweepIdentity } from './sweep.ts'

/** Publishes events that a crash left in the outbox, and deletes what has expired. A PingSource calls it. */
export default operation({
  name: 'sweep-identity',
  context: 'identity',
  summary:
    'Publishes events of the identity context that were left in its outbox, and deletes what has expired',
  consumes: {
    ...sweepOutbox,
    async receive(event, tools, ...rest) {
      await sweepIdentity(tools.db)
      await sweepOutbox.receive(event, tools, ...rest)
    },
  },
})

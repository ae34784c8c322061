import type { Consumer } from '../knative/host/operation.ts'

/** Publishes what was left in the outbox of the function's database, on every event that a PingSource sends.
 * Fails where the Broker does not take it all; the next ping tries again. */
export const sweepOutbox: Consumer = {
  contracts: 'any',
  async receive(_event, { outbox, log }) {
    const published = await outbox.sweep()
    if (published > 0) log.info('published what was left in the outbox', { events: published })
  },
}

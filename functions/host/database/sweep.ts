import { forgetOldKeys } from './idempotency.ts'
import type { Consumer } from '../operation.ts'

/** Tidies the function's database on every event that a PingSource sends: forgets idempotency keys that are
 * old, and publishes what was left in the outbox. Fails where the Broker does not take it all; the next ping
 * tries again. */
export const sweepOutbox: Consumer = {
  contracts: 'any',
  async receive(_event, { db, outbox, log }) {
    await forgetOldKeys(db)
    const published = await outbox.sweep()
    if (published > 0) log.info('published what was left in the outbox', { events: published })
  },
}

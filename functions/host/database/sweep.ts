import { forgetOldKeys } from './idempotency.ts'
import type { Consumer } from '../operation.ts'

/** Tidies the function's database on every event that a PingSource sends: deletes old idempotency keys and
 * publishes what was left in the outbox. Throws if the Broker does not take every event; the next ping tries
 * again. */
export const sweepOutbox: Consumer = {
  contracts: 'any',
  async receive(_event, { db, outbox, log }) {
    await forgetOldKeys(db)
    const published = await outbox.sweep()
    if (published > 0) log.info('published what was left in the outbox', { events: published })
  },
}

import { forgetOldCounts } from './forget-counts.ts'
import { forgetOldEvents } from './forget-events.ts'
import { forgetOldKeys } from './idempotency.ts'
import type { Consumer } from '../operation.ts'
import type { Tools } from '../tools.ts'

/** Tidies the function's database on every event that a PingSource sends. */
export const sweepOutbox: Consumer = {
  contracts: 'any',
  receive: (_event, tools) => tidyOutbox(tools),
}

/** Deletes old idempotency keys and counts, removes what old events say of people, and publishes what was
 * left in the outbox. Rejects if the Broker does not take every event; the next sweep tries again. No batch
 * begins after `timeMaxMs`. */
export async function tidyOutbox(
  { db, outbox, log }: Pick<Tools, 'db' | 'outbox' | 'log'>,
  timeMaxMs = Infinity,
): Promise<void> {
  const endsAt = performance.now() + timeMaxMs
  await forgetOldCounts(db, Math.min(timeMaxMs / 8, 3_000))
  await forgetOldEvents(db, Math.min(timeMaxMs / 8, 3_000))
  await forgetOldKeys(db, timeMaxMs / 2)
  const published = await outbox.sweep(endsAt - performance.now())
  if (published > 0) log.info('published what was left in the outbox', { events: published })
}

import type { PendingEvent } from '../../../eventing/outbox-event.ts'
import type { Tools } from '../../host/tools.ts'

// Younger orders are tried again by their Trigger, which gives up after about 50 s.
const OLD_MS = 20_000
// Each parked order holds one of the Trigger's places this long, so an outage causes only a few events a
// second.
const PARKED_MS = 5_000

/** Says whether an event's Trigger may soon give up. If a clock jumps, the answer is true too early at
 * worst. */
export const isOld = (time: string | undefined): boolean =>
  Math.abs(Date.now() - Date.parse(time ?? '')) > OLD_MS

/** Waits, then puts an order that can't be posted now at the end of the Broker's queue. Otherwise it would
 * become a dead letter, and no sweep could find it if it was accepted while the database was unreachable.
 * Rejects with UnavailableError if the Broker does not accept it; then the delivery is tried again. */
export async function parkOrder(
  order: PendingEvent,
  { outbox, log }: Pick<Tools, 'outbox' | 'log'>,
  parkedMs = PARKED_MS,
): Promise<void> {
  log.warn('an order waits for the database', { transaction_id: order.id })
  await new Promise((resolve) => setTimeout(resolve, parkedMs))
  await outbox.send(order)
}

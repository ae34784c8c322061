import { createGroupCommit } from './group-commit.ts'
import type { Outbox } from './outbox.ts'
import type { OutboxEvent } from './outbox-event.ts'

export interface ReceiverOptions<Delivery> {
  /** Stores the effects of several deliveries in one database transaction, with a row in `inbox` for each of
   * their events; one that has its row already, or comes twice, has no further effect. Resolves with the
   * events that it stored in the outbox. */
  store: (deliveries: readonly Delivery[]) => Promise<readonly OutboxEvent[]>
  outbox: Outbox
}

const GROUP_MAX = 100

/** Deliveries that come while others are being stored are stored together, next; see createGroupCommit().
 * Resolves once the delivery's effect is committed. There are never more than the Trigger's parallelism, so
 * none is turned away. */
export const createReceiver = <Delivery>({ store, outbox }: ReceiverOptions<Delivery>) =>
  createGroupCommit<Delivery, void>({
    commit: async (deliveries) => ({ results: [], events: await store(deliveries) }),
    outbox,
    groupMax: GROUP_MAX,
  })

import { createGroupCommit } from './group-commit.ts'
import type { Outbox } from './outbox.ts'
import type { PendingEvent } from './outbox-event.ts'

export interface ReceiverOptions<Delivery> {
  /** Stores the effects of several deliveries in one database transaction, with a row for each event that is
   * unique to it: in `inbox`, or the effect itself. An event that has its row already, or comes twice, has no
   * further effect. Resolves with the events that are to be published. */
  store: (deliveries: readonly Delivery[]) => Promise<readonly PendingEvent[]>
  outbox: Outbox
}

const GROUP_MAX = 100

/** Creates a function that stores deliveries in groups; see createGroupCommit(). It resolves once the
 * effect of the delivery is committed. It refuses no delivery: the Trigger's parallelism limits how many
 * there are. */
export const createReceiver = <Delivery>({ store, outbox }: ReceiverOptions<Delivery>) =>
  createGroupCommit<Delivery, void>({
    commit: async (deliveries) => ({ results: [], events: await store(deliveries) }),
    outbox,
    groupMax: GROUP_MAX,
  })

import { UnavailableError } from '../knative/host/problems.ts'
import type { Outbox, OutboxEvent } from './outbox.ts'

export interface ReceiverOptions<Delivery> {
  /** Stores the effects of several deliveries in one database transaction, with a row in `inbox` for each of their
   * events; one that has its row already, or comes twice, has no further effect. Resolves with the events that it
   * stored in the outbox. */
  store: (deliveries: readonly Delivery[]) => Promise<readonly OutboxEvent[]>
  outbox: Outbox
}

interface Waiting<Delivery> {
  delivery: Delivery
  resolve: () => void
  reject: (error: unknown) => void
}

const GROUP_MAX = 100

/** Group commit of a consumer: deliveries that come while others are being stored are stored together, next, so that
 * one after the other pays for a round trip and a commit only where there is but one. Resolves once the delivery's
 * effect is committed. There are never more than the Trigger's parallelism. */
export function createReceiver<Delivery>({ store, outbox }: ReceiverOptions<Delivery>) {
  const waiting: Waiting<Delivery>[] = []
  let isStoring = false

  const storeWaiting = async (): Promise<void> => {
    if (isStoring) return
    isStoring = true
    while (waiting.length > 0) await settle(waiting.splice(0, GROUP_MAX))
    isStoring = false
  }

  const settle = async (group: Waiting<Delivery>[]): Promise<void> => {
    try {
      const events = await store(group.map(({ delivery }) => delivery))
      for (const { resolve } of group) resolve()
      outbox.publish(events)
    } catch (error) {
      // Where the fault lies with one event, the others must not share its fate.
      if (group.length > 1 && !(error instanceof UnavailableError))
        for (const one of group) await settle([one])
      else for (const { reject } of group) reject(error)
    }
  }

  return (delivery: Delivery): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ delivery, resolve, reject })
      void storeWaiting()
    })
}

import type { CloudEventV1 } from 'cloudevents'
import type { Transaction } from '../knative/host/database.ts'

/** Notes in the consumer's own database transaction that this event is being handled.
 *
 * Returns false where it was handled before: the Broker delivers at least once, so the caller then commits
 * without any effect. Two deliveries at the same moment: the second waits here for the first to commit or to
 * roll back. */
export async function receivedFirst(tx: Transaction, event: CloudEventV1<unknown>): Promise<boolean> {
  const rows = await tx.query({
    name: 'inbox-insert',
    text: `insert into inbox (source, event_id) values ($1, $2) on conflict do nothing returning event_id`,
    values: [event.source, event.id],
  })
  return rows.length === 1
}

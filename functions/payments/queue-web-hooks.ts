import { passwordChanged, type PasswordChanged } from '../../eventing/contracts/password.changed.ts'
import { userDeleted } from '../../eventing/contracts/user.deleted.ts'
import { createReceiver } from '../../eventing/inbox.ts'
import { operation } from '../host/operation.ts'
import { offeredContracts, viewsOf } from './web-hooks/event-views.ts'
import { queueDeliveries, type NewOwner, type QueuedEvent } from './web-hooks/queue.ts'

/** Notes for each web hook which events it is to get: exactly one delivery per hook and event, however often
 * the event comes. Deletes the hooks of users who leave, and pauses what an earlier owner of an address may
 * have made. */
export default operation({
  name: 'queue-web-hooks',
  context: 'payments',
  summary: 'Stores, for each event, a delivery for every web hook that wants it',
  state: ({ db, outbox }) =>
    createReceiver({ store: (events: readonly QueuedEvent[]) => queueDeliveries(db, events), outbox }),
  consumes: {
    contracts: offeredContracts,
    receive(event, _tools, receive, { traceparent }) {
      const data = event.data as Record<string, unknown>
      const { id, source, type, time: timestamp } = event
      return receive({
        event_source: source,
        event_id: id,
        event_type: type,
        bodies: viewsOf(type, data).map((view) => ({
          viewer: view.viewer,
          body: JSON.stringify({ type, timestamp, data: view.data }),
        })),
        newOwner: type === passwordChanged.type ? newOwnerIn(event.data as PasswordChanged) : undefined,
        userLeft: type === userDeleted.type ? (data.user_id as string) : undefined,
        traceparent,
      })
    },
  },
})

/** Returns the new owner whom a changed password tells of; undefined if it tells of none. */
const newOwnerIn = ({
  user_id,
  changed_at: since,
  by_new_owner: isNew,
}: PasswordChanged): NewOwner | undefined => (isNew ? { user_id, since } : undefined)

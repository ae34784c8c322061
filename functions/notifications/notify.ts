import {
  transactionCompleted,
  type TransactionCompleted,
} from '../../eventing/contracts/transaction.completed.ts'
import { createReceiver } from '../../eventing/inbox.ts'
import type { Database } from '../host/database/database.ts'
import { operation } from '../host/operation.ts'
import type { Tools } from '../host/tools.ts'
import { completedMessage } from './message.ts'
import { storeNotifications, type NewNotification } from './store.ts'

type Receive = (notification: NewNotification) => Promise<void>

// One per process, and found by its database, because the handlers of an operation share nothing else.
const receivers = new WeakMap<Database, Receive>()

function receiverOf({ db, outbox }: Tools): Receive {
  let receive = receivers.get(db)
  if (!receive) {
    receive = createReceiver({ store: (notifications) => storeNotifications(db, notifications), outbox })
    receivers.set(db, receive)
  }
  return receive
}

/** Tells a user of their completed transaction: exactly one notification per event, however often it
 * comes. */
export default operation({
  name: 'notify',
  context: 'notifications',
  summary: 'Stores a notification for each completed transaction',
  consumes: {
    contracts: [transactionCompleted],
    receive(event, tools, traceparent) {
      const data = event.data as TransactionCompleted
      return receiverOf(tools)({
        consumer: 'notify',
        event_source: event.source,
        event_id: event.id,
        event_type: event.type,
        user_id: data.user_id,
        subject: data.transaction_id,
        message: completedMessage(data),
        traceparent,
      })
    },
  },
})

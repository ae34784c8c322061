import {
  transactionCompleted,
  type TransactionCompleted,
} from '../../eventing/contracts/transaction.completed.ts'
import {
  transactionReversed,
  type TransactionReversed,
} from '../../eventing/contracts/transaction.reversed.ts'
import { createReceiver } from '../../eventing/inbox.ts'
import { operation } from '../host/operation.ts'
import { completedMessage, reversedMessage } from './message.ts'
import { storeNotifications, type NewNotification } from './store.ts'

/** Tells a user of their completed transaction, or that it was reversed: exactly one notification per event,
 * however often it comes. */
export default operation({
  name: 'notify',
  context: 'notifications',
  summary: 'Stores a notification for each completed or reversed transaction',
  state: ({ db, outbox }) =>
    createReceiver({
      store: (notifications: readonly NewNotification[]) => storeNotifications(db, notifications),
      outbox,
    }),
  consumes: {
    contracts: [transactionCompleted, transactionReversed],
    receive(event, _tools, receive, { traceparent }) {
      const data = event.data as TransactionCompleted | TransactionReversed
      return receive({
        consumer: 'notify',
        event_source: event.source,
        event_id: event.id,
        event_type: event.type,
        user_id: data.user_id,
        subject: data.transaction_id,
        message: 'reverses' in data ? reversedMessage(data) : completedMessage(data),
        traceparent,
      })
    },
  },
})

import { notificationStored } from '../../eventing/contracts/notification.stored.ts'
import {
  transactionCompleted,
  type TransactionCompleted,
} from '../../eventing/contracts/transaction.completed.ts'
import { receivedFirst } from '../../eventing/inbox.ts'
import { operation } from '../../knative/host/operation.ts'
import { completedMessage } from './message.ts'

/** Tells a user of his completed transaction: exactly one notification per event, however often it comes. */
export default operation({
  name: 'notify',
  context: 'notifications',
  summary: 'Stores a notification for each completed transaction',
  consumes: {
    contracts: [transactionCompleted],
    async receive(event, { transact }, traceparent) {
      const data = event.data as TransactionCompleted
      await transact(traceparent, async (tx) => {
        if (!(await receivedFirst(tx, event))) return
        const [notification] = await tx.query<{ id: string; channel: string; created_at: Date }>({
          name: 'notification-insert',
          text: `insert into notifications (user_id, event_source, event_id, event_type, subject, message)
            values ($1, $2, $3, $4, $5, $6) returning id, channel, created_at`,
          values: [
            data.user_id,
            event.source,
            event.id,
            event.type,
            data.transaction_id,
            completedMessage(data),
          ],
        })
        const { id, channel, created_at: createdAt } = notification!
        tx.emit(notificationStored, {
          subject: id,
          partitionkey: data.user_id,
          data: {
            notification_id: id,
            user_id: data.user_id,
            event_id: event.id,
            event_type: event.type,
            channel,
            timestamp: createdAt.toISOString(),
          },
        })
      })
    },
  },
})

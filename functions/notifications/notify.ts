import { transactionCompleted } from '../../eventing/contracts/transaction.completed.ts'
import { transactionReversed } from '../../eventing/contracts/transaction.reversed.ts'
import { operation } from '../host/operation.ts'
import { notificationReceiver, notifyOf } from './notify-of.ts'

/** Tells a user of their completed transaction, or that it was reversed: exactly one notification per event,
 * however often it comes. */
export default operation({
  name: 'notify',
  context: 'notifications',
  summary: 'Stores a notification for each completed or reversed transaction',
  state: notificationReceiver,
  consumes: { contracts: [transactionCompleted, transactionReversed], receive: notifyOf('notify') },
})

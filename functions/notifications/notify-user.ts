import type { EventContract } from '../../eventing/contracts/contract.ts'
import { operation } from '../host/operation.ts'
import { notificationReceiver, notifyOf } from './notify-of.ts'
import { notified } from './templates/notified.ts'

/** Events of `notify`. There are far more of them than of all others, so a function of their own serves
 * them: it starts fast, and no other event waits behind them. */
const ELSEWHERE: readonly string[] = ['transaction.completed', 'transaction.reversed']

/** Tells a user of everything else that happened to their money, their accounts and their log-ins. */
export default operation({
  name: 'notify-user',
  context: 'notifications',
  summary: 'Stores a notification for each event of a hold, an account or a log-in',
  state: notificationReceiver,
  consumes: {
    contracts: Object.values(notified)
      .map(({ contract }) => contract as EventContract)
      .filter(({ type }) => !ELSEWHERE.includes(type)),
    receive: notifyOf('notify-user'),
  },
})

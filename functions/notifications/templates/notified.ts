import { accountClosed } from '../../../eventing/contracts/account.closed.ts'
import { accountFrozen } from '../../../eventing/contracts/account.frozen.ts'
import { accountUnfrozen } from '../../../eventing/contracts/account.unfrozen.ts'
import type { EventContract } from '../../../eventing/contracts/contract.ts'
import { emailConfirmationRequested } from '../../../eventing/contracts/email.confirmation-requested.ts'
import { emailChanged } from '../../../eventing/contracts/email.changed.ts'
import { holdCaptured } from '../../../eventing/contracts/hold.captured.ts'
import { holdExpired } from '../../../eventing/contracts/hold.expired.ts'
import { holdPlaced } from '../../../eventing/contracts/hold.placed.ts'
import { holdReleased } from '../../../eventing/contracts/hold.released.ts'
import { orderFailed } from '../../../eventing/contracts/order.failed.ts'
import { orderRan } from '../../../eventing/contracts/order.ran.ts'
import type { MailedLink } from '../../../eventing/contracts/mailed-link.ts'
import { passwordChanged } from '../../../eventing/contracts/password.changed.ts'
import { passwordResetRequested } from '../../../eventing/contracts/password.reset-requested.ts'
import { paymentExecuted } from '../../../eventing/contracts/payment.executed.ts'
import { paymentExpired } from '../../../eventing/contracts/payment.expired.ts'
import { paymentFailed } from '../../../eventing/contracts/payment.failed.ts'
import { paymentReceived } from '../../../eventing/contracts/payment.received.ts'
import { payoutCompleted } from '../../../eventing/contracts/payout.completed.ts'
import { sessionStarted } from '../../../eventing/contracts/session.started.ts'
import { topupFailed } from '../../../eventing/contracts/topup.failed.ts'
import { transactionCompleted } from '../../../eventing/contracts/transaction.completed.ts'
import { transactionReversed } from '../../../eventing/contracts/transaction.reversed.ts'
import { userInvited } from '../../../eventing/contracts/user.invited.ts'
import type { LinkPurpose } from '../../host/link-token.ts'
import { webhookPaused } from '../../../eventing/contracts/webhook.paused.ts'
import { withdrawalFailed } from '../../../eventing/contracts/withdrawal.failed.ts'

/** How much a message matters:
 * - 'usual': sent over the channels that the user chose;
 * - 'important': sent by email unless the user chose otherwise;
 * - 'security': sent over every channel there is, and can't be switched off. */
export type Importance = 'usual' | 'important' | 'security'

interface NotifiedEvent<Data extends { user_id: string }> {
  contract: EventContract<Data>
  importance: Importance
  /** Id of what the message is about. */
  subject: (data: Data) => string
  /** Email addresses that hear of it, if not the user's own. */
  emails?: (data: Data) => string[]
  /** True if it is sent over channels only, and is not in the user's list of notifications. */
  isSentOnly?: true
  /** What the link is good for that goes with it. It is a secret, so the message goes by email only; the link
   * is made when it is sent, and stored nowhere. */
  link?: LinkPurpose
}

const about = <Data extends { user_id: string }>(
  contract: EventContract<Data>,
  importance: Importance,
  subject: (data: Data) => string,
  more: Pick<NotifiedEvent<Data>, 'emails' | 'isSentOnly' | 'link'> = {},
): NotifiedEvent<Data> => ({ contract, importance, subject, ...more })

const withLink = (contract: EventContract<MailedLink>, link: LinkPurpose): NotifiedEvent<MailedLink> =>
  about(contract, 'security', (data) => data.user_id, {
    ...{ isSentOnly: true, link },
    // Not the user's address of that moment: a link may confirm only the address that it was mailed to.
    emails: (data) => [data.email],
  })

/** Every event that a customer hears of. A new one needs a line here, a template in each language, its type
 * in eventing/groups.ts, and the Secret with its context's key in the Service of `notify-user`. */
export const notified = {
  'transaction.completed': about(transactionCompleted, 'usual', (data) => data.transaction_id),
  'transaction.reversed': about(transactionReversed, 'important', (data) => data.transaction_id),
  'hold.placed': about(holdPlaced, 'usual', (data) => data.hold_id),
  'hold.captured': about(holdCaptured, 'usual', (data) => data.hold_id),
  'hold.released': about(holdReleased, 'usual', (data) => data.hold_id),
  'hold.expired': about(holdExpired, 'usual', (data) => data.hold_id),
  'payment.executed': about(paymentExecuted, 'usual', (data) => data.payment_id),
  'payment.received': about(paymentReceived, 'usual', (data) => data.transaction_id),
  'payment.expired': about(paymentExpired, 'usual', (data) => data.payment_id),
  'payment.failed': about(paymentFailed, 'important', (data) => data.payment_id),
  'topup.failed': about(topupFailed, 'important', (data) => data.transfer_id),
  'withdrawal.failed': about(withdrawalFailed, 'important', (data) => data.transfer_id),
  'order.ran': about(orderRan, 'usual', (data) => data.order_id),
  'order.failed': about(orderFailed, 'important', (data) => data.order_id),
  'payout.completed': about(payoutCompleted, 'usual', (data) => data.payout_id),
  'account.frozen': about(accountFrozen, 'important', (data) => data.account_id),
  'account.unfrozen': about(accountUnfrozen, 'important', (data) => data.account_id),
  'account.closed': about(accountClosed, 'important', (data) => data.account_id),
  'webhook.paused': about(webhookPaused, 'important', (data) => data.web_hook_id),
  // Everybody starts sessions all the time; in the list they would hide the rest.
  'session.started': about(sessionStarted, 'security', (data) => data.session_id, { isSentOnly: true }),
  'password.changed': about(passwordChanged, 'security', (data) => data.user_id),
  'email.changed': about(emailChanged, 'security', (data) => data.user_id, {
    emails: (data) => [data.old_email, data.new_email],
  }),
  'password.reset-requested': withLink(passwordResetRequested, 'new-password'),
  'user.invited': withLink(userInvited, 'new-password'),
  'email.confirmation-requested': withLink(emailConfirmationRequested, 'confirm-email'),
} as const

export type NotifiedType = keyof typeof notified

/** The data of an event that customers hear of, by its type. */
export type NotifiedData<Type extends NotifiedType> =
  (typeof notified)[Type] extends NotifiedEvent<infer Data> ? Data : never

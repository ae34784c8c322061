import { SETTLED_OUTSIDE } from '../../../eventing/contracts/provider-transfer-end.ts'
import type { Templates } from './template.ts'

const KINDS = { deposit: 'Deposit', withdrawal: 'Withdrawal', transfer: 'Transfer' } as const

/** No template repeats what another person wrote, such as a description: a stranger could put words into the
 * bank's mouth. */
export const en: Templates = {
  events: {
    'transaction.completed': (data, { money }) => {
      const { transaction_type: type, amount, fee, new_balance: balance, currency } = data
      const cost = fee === null ? '' : ` Fee: ${money(fee, currency)}.`
      return {
        title: `${KINDS[type]} completed`,
        text: `${KINDS[type]} of ${money(amount, currency)} completed.${cost} New balance: ${money(balance, currency)}`,
      }
    },
    'transaction.reversed': ({ amount, new_balance: balance, currency }, { money }) => ({
      title: 'Transaction reversed',
      text: `Transaction of ${money(amount, currency)} reversed. New balance: ${money(balance, currency)}`,
    }),
    'hold.placed': ({ amount, currency, expires_at: end }, { money, time }) => ({
      title: 'Money set aside',
      text: `${money(amount, currency)} set aside until ${time(end)}. It stays in your balance, but is not available.`,
    }),
    'hold.captured': ({ amount, released, currency }, { money }) => ({
      title: 'Money taken that was set aside',
      text: `${money(amount, currency)} that was set aside has been taken.${
        /^[0.]+$/.test(released) ? '' : ` ${money(released, currency)} is available again.`
      }`,
    }),
    'hold.released': ({ amount, currency }, { money }) => ({
      title: 'Money available again',
      text: `${money(amount, currency)} that was set aside is available again.`,
    }),
    'hold.expired': ({ amount, currency }, { money }) => ({
      title: 'Money available again',
      text: `${money(amount, currency)} that was set aside was not taken in time. It is available again.`,
    }),
    'payment.executed': ({ amount, currency }, { money }) => ({
      title: 'Payment executed',
      text: `Your payment of ${money(amount, currency)} has been executed.`,
    }),
    'payment.received': ({ amount, currency, account_id: account }, { money, ending }) => ({
      title: 'Payment received',
      text: `You received ${money(amount, currency)} on your account ending in ${ending(account)}.`,
    }),
    'payment.expired': ({ amount, currency }, { money }) => ({
      title: 'Payment expired',
      text: `Your payment of ${money(amount, currency)} was not executed in time. The money is available again.`,
    }),
    'payment.failed': ({ amount, currency }, { money }) => ({
      title: 'Payment failed',
      text: `Your payment of ${money(amount, currency)} could not be executed. Log in to see why.`,
    }),
    'topup.failed': ({ amount, currency, failure }, { money }) => ({
      title: 'Top-up failed',
      text:
        failure === SETTLED_OUTSIDE
          ? `Your top-up of ${money(amount, currency)} could not be credited. The bank has paid it back.`
          : `Your top-up of ${money(amount, currency)} failed. No money was taken for it.`,
    }),
    'withdrawal.failed': ({ amount, currency }, { money }) => ({
      title: 'Withdrawal failed',
      text: `Your withdrawal of ${money(amount, currency)} could not be paid out. The money is available again.`,
    }),
    'order.ran': ({ amount, currency, due_at: due }, { money, time }) => ({
      title: 'Payment order paid',
      text: `Your payment order of ${money(amount, currency)}, due on ${time(due)}, was paid.`,
    }),
    'order.failed': ({ amount, currency, due_at: due, is_stopped: stopped }, { money, time }) => ({
      title: 'Payment order not paid',
      text: `Your payment order of ${money(amount, currency)}, due on ${time(due)}, could not be paid.${
        stopped ? ' The order is stopped until you resume it.' : ''
      } Please check your account.`,
    }),
    'payout.completed': ({ amount, currency, paid, refused }, { money }) => ({
      title: 'Payout completed',
      text: `Your payout is completed: ${money(amount, currency)} in ${paid} ${paid === 1 ? 'payment' : 'payments'}. Refused: ${refused}.`,
    }),
    'account.frozen': ({ account_id: account }, { ending }) => ({
      title: 'Account frozen',
      text: `Your account ending in ${ending(account)} is frozen: it neither pays nor receives money. Please contact us.`,
    }),
    'account.unfrozen': ({ account_id: account }, { ending }) => ({
      title: 'Account open again',
      text: `Your account ending in ${ending(account)} is no longer frozen.`,
    }),
    'account.closed': ({ account_id: account }, { ending }) => ({
      title: 'Account closed',
      text: `Your account ending in ${ending(account)} is closed.`,
    }),
    'webhook.paused': ({ host }) => ({
      title: 'Web hook paused',
      text: `Your web hook to ${host} is paused, because the bank can no longer reach it. It gets nothing until you resume it.`,
    }),
    'session.started': ({ client_address: address, started_at: at }, { time }) => ({
      title: 'New log-in',
      text: `Somebody logged in as you on ${time(at)} from ${address || 'an unknown address'}. If it was not you, change your password and contact us.`,
    }),
    'password.changed': ({ changed_at: at, by_new_owner: isNew }, { time }) => ({
      title: 'Password changed',
      text: `Your password was changed on ${time(at)}. If it was not you, contact us at once.${isNew ? ' Others may have used this address, so web hooks and payment orders are paused: check them.' : ''}`,
    }),
    'email.changed': ({ changed_at: at }, { time }) => ({
      title: 'Email address changed',
      text: `Your email address was changed on ${time(at)}. If it was not you, contact us at once.`,
    }),
    'password.reset-requested': ({ expires_at: end }, { time }) => ({
      title: 'Choose a new password',
      text: `Somebody asked for a new password for this address. If it was you, choose one with the link below. It works once, until ${time(end)}. If it was not you, do nothing: your password stays as it is.`,
    }),
    'user.invited': ({ expires_at: end }, { time }) => ({
      title: 'Choose a password',
      text: `We have added you as a customer. To log in, choose a password with the link below. It works once, until ${time(end)}.`,
    }),
    'email.confirmation-requested': ({ expires_at: end }, { time }) => ({
      title: 'Confirm your email address',
      text: `Please confirm with the link below that this address is yours. It works once, until ${time(end)}. If you have not given us this address, do nothing.`,
    }),
  },
  notices: {
    'please-call': {
      title: 'Please call us',
      text: 'Please call us. We have a question about your account.',
    },
    'documents-needed': {
      title: 'Documents needed',
      text: 'We need documents from you. Please log in to see which.',
    },
    'details-outdated': {
      title: 'Please check your details',
      text: 'Please log in and check that your name and your address are up to date.',
    },
  },
  email: {
    greeting: (name) => (name ? `Hello ${name},` : 'Hello,'),
    footer:
      'This message was sent automatically. We never ask for your password. Choose which messages you get in your settings.',
  },
  fromTheBank: 'A message from your bank',
}

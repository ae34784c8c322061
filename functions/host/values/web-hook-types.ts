/** Types of events that a customer's hook can have, by the context that states them: those of their own
 * things. A new one must be in eventing/groups.ts or groups-by-event.ts too, so that queue-web-hooks gets
 * it. */
export const HOOK_TYPES_OF_CUSTOMERS = {
  ledger: [
    'account.opened',
    'account.frozen',
    'account.unfrozen',
    'account.closed',
    'overdraft.changed',
    'limits.changed',
    'transaction.completed',
    'transaction.rejected',
    'transaction.reversed',
    'hold.placed',
    'hold.captured',
    'hold.released',
    'hold.expired',
  ],
  identity: ['user.updated', 'email.changed', 'password.changed', 'session.started', 'login.failed'],
  payments: [
    'order.created',
    'order.ran',
    'order.failed',
    'order.cancelled',
    'payment.created',
    'payment.executed',
    'payment.received',
    'payment.cancelled',
    'payment.expired',
    'payment.failed',
    'topup.completed',
    'topup.failed',
    'withdrawal.completed',
    'withdrawal.failed',
  ],
  documents: ['document.uploaded', 'document.processed', 'document.deleted'],
  // The channel `webhook` of messages. Only those that a user wants this way come, by a Trigger of their own.
  notifications: ['notification.stored'],
} as const

/** Types that only an operator's hook can have: they concern the bank, or somebody who has no hook at that
 * moment. */
export const HOOK_TYPES_OF_OPERATORS = {
  ledger: ['fees.changed', 'ledger.broken', 'ledger.stopped', 'ledger.resumed'],
  identity: ['user.registered', 'user.deleted'],
  payments: ['clearing.disputed'],
} as const

import { groupsByEvent } from '../../../eventing/groups-by-event.ts'
import type { DatabaseContext } from '../../contexts.ts'

type TypesByContext = Readonly<Partial<Record<DatabaseContext, readonly string[]>>>

/** Types of events that a customer's hook can have, by the context that states them: those of their own
 * things. A new one must be in eventing/groups.ts or groups-by-event.ts too, so that queue-web-hooks gets
 * it. */
const OF_CUSTOMERS: TypesByContext = {
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
}

/** Types that only an operator's hook can have: they concern the bank, or somebody who has no hook at that
 * moment. */
const OF_OPERATORS: TypesByContext = {
  ledger: ['fees.changed', 'ledger.broken', 'ledger.stopped', 'ledger.resumed'],
  identity: ['user.registered', 'user.deleted'],
  payments: ['clearing.disputed'],
}

export interface OfferedType {
  type: string
  /** The context that states it. */
  context: string
}

const listOf = (types: TypesByContext): OfferedType[] =>
  Object.entries(types).flatMap(([context, names]) => names.map((type) => ({ type, context })))

export const offeredTypes: readonly OfferedType[] = [...listOf(OF_CUSTOMERS), ...listOf(OF_OPERATORS)]

/** Types that a customer's hook can have. */
export const customerTypes: readonly string[] = listOf(OF_CUSTOMERS).map(({ type }) => type)

/** Types that an operator's hook can have: all. */
export const operatorTypes: readonly string[] = offeredTypes.map(({ type }) => type)

/** Types whose events are offered only if they concern somebody who is watched. */
export const watchedTypes: readonly string[] = operatorTypes.filter((type) => groupsByEvent(type).webhooks)

import {
  accountStatusExample,
  accountStatusSchemaWithoutReason,
  type AccountStatusChange,
} from './account-status.ts'
import type { EventContract } from './contract.ts'

/** `reason` is null if the owner gave none. */
export type AccountClosed = Omit<AccountStatusChange, 'reason'> & { reason: string | null }

export const accountClosed: EventContract<AccountClosed> = {
  type: 'account.closed',
  version: 1,
  context: 'ledger',
  description: 'An account without money was closed, by its owner or by an operator. It stays closed.',
  schema: accountStatusSchemaWithoutReason,
  example: { ...accountStatusExample, changed_by: accountStatusExample.user_id, reason: null },
}

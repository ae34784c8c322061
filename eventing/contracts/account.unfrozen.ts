import { accountStatusExample, accountStatusSchema, type AccountStatusChange } from './account-status.ts'
import type { EventContract } from './contract.ts'

export const accountUnfrozen: EventContract<AccountStatusChange> = {
  type: 'account.unfrozen',
  version: 1,
  context: 'ledger',
  description: 'An operator unfroze an account: it pays and receives money again.',
  schema: accountStatusSchema,
  example: { ...accountStatusExample, reason: 'Card found again' },
}

import { accountStatusExample, accountStatusSchema, type AccountStatusChange } from './account-status.ts'
import type { EventContract } from './contract.ts'

export const accountFrozen: EventContract<AccountStatusChange> = {
  type: 'account.frozen',
  version: 1,
  context: 'ledger',
  description: 'An operator froze an account: until it is unfrozen, it neither pays nor receives money.',
  schema: accountStatusSchema,
  example: accountStatusExample,
}

import type { EventContract } from './contract.ts'
import { text } from './fields.ts'
import {
  providerTransferExample,
  providerTransferProperties,
  providerTransferRequired,
  type ProviderTransferEnd,
} from './provider-transfer-end.ts'

export interface WithdrawalFailed extends ProviderTransferEnd {
  /** Why, as the provider says, or SETTLED_OUTSIDE. */
  failure: string
}

export const withdrawalFailed: EventContract<WithdrawalFailed> = {
  type: 'withdrawal.failed',
  version: 1,
  context: 'payments',
  description: 'A withdrawal failed. Its money is available again, unless an operator took it.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [...providerTransferRequired, 'failure'],
    properties: { ...providerTransferProperties, failure: text },
  },
  example: { ...providerTransferExample, failure: 'account-unknown' },
}

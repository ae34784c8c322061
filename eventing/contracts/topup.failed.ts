import type { EventContract } from './contract.ts'
import { text } from './fields.ts'
import {
  providerTransferExample,
  providerTransferProperties,
  providerTransferRequired,
  type ProviderTransferEnd,
} from './provider-transfer-end.ts'

export interface TopupFailed extends ProviderTransferEnd {
  /** Why, as the provider says, or SETTLED_OUTSIDE. */
  failure: string
}

export const topupFailed: EventContract<TopupFailed> = {
  type: 'topup.failed',
  version: 1,
  context: 'payments',
  description: 'A top-up failed: no money came, or the bank has given it back.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [...providerTransferRequired, 'failure'],
    properties: { ...providerTransferProperties, failure: text },
  },
  example: { ...providerTransferExample, failure: 'card-declined' },
}

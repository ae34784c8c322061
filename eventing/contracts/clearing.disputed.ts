import type { EventContract } from './contract.ts'
import { text } from './fields.ts'
import {
  providerTransferExample,
  providerTransferProperties,
  providerTransferRequired,
  type ProviderTransferEnd,
} from './provider-transfer-end.ts'

export interface ClearingDisputed extends ProviderTransferEnd {
  kind: 'top-up' | 'withdrawal'
  provider: string
  /** What does not fit together, or why the ledger refuses what the provider has settled. */
  reason: string
}

export const clearingDisputed: EventContract<ClearingDisputed> = {
  type: 'clearing.disputed',
  version: 1,
  context: 'payments',
  description:
    'What a payment provider says of a top-up or withdrawal does not fit, or can’t be booked. An operator has to look.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [...providerTransferRequired, 'kind', 'provider', 'reason'],
    properties: {
      ...providerTransferProperties,
      kind: { enum: ['top-up', 'withdrawal'] },
      provider: text,
      reason: text,
    },
  },
  example: { ...providerTransferExample, kind: 'top-up', provider: 'sandbox', reason: 'other-amount' },
}

import type { EventContract } from './contract.ts'
import { uuid, type Uuid } from './fields.ts'
import {
  providerTransferExample,
  providerTransferProperties,
  providerTransferRequired,
  type ProviderTransferEnd,
} from './provider-transfer-end.ts'

export interface TopupCompleted extends ProviderTransferEnd {
  /** The deposit. */
  transaction_id: Uuid
}

export const topupCompleted: EventContract<TopupCompleted> = {
  type: 'topup.completed',
  version: 1,
  context: 'payments',
  description: 'A payment provider has collected the money of a top-up, and the account has it.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: [...providerTransferRequired, 'transaction_id'],
    properties: { ...providerTransferProperties, transaction_id: uuid },
  },
  example: { ...providerTransferExample, transaction_id: '01936f0d-51d2-7b1a-a1a4-2f0f6a1c9b77' },
}

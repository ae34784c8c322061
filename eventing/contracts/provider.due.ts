import type { EventContract } from './contract.ts'
import { uuid, type Uuid } from './fields.ts'

export interface ProviderDue {
  /** Id of the top-up or withdrawal. */
  transfer_id: Uuid
}

export const providerDue: EventContract<ProviderDue> = {
  type: 'provider.due',
  version: 1,
  context: 'payments',
  description:
    'Something is due of a top-up or withdrawal: a provider has said something, or has not been heard for long.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['transfer_id'],
    properties: { transfer_id: uuid },
  },
  example: { transfer_id: '01936f0d-41d2-7b1a-a1a4-2f0f6a1c9b55' },
}

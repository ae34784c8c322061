import type { EventContract } from './contract.ts'
import { uuid, type Uuid } from './fields.ts'

export interface SandboxDue {
  /** The bank's id of the top-up or withdrawal. */
  reference: Uuid
}

export const sandboxDue: EventContract<SandboxDue> = {
  type: 'sandbox.due',
  version: 1,
  context: 'payments',
  description:
    'The sandbox provider is to settle a transfer that it has accepted, and to send its web hooks.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['reference'],
    properties: { reference: uuid },
  },
  example: { reference: '01936f0d-41d2-7b1a-a1a4-2f0f6a1c9b55' },
}

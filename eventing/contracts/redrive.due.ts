import type { EventContract } from './contract.ts'
import { uuid, type Uuid } from './fields.ts'

export interface RedriveDue {
  redrive_id: Uuid
  /** The number of this event among those of the redrive. Older ones do nothing. */
  turn: number
}

export const redriveDue: EventContract<RedriveDue> = {
  type: 'redrive.due',
  version: 1,
  context: 'notifications',
  description: 'A redrive of dead letters is to go on. It comes again until the last of them is published.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['redrive_id', 'turn'],
    properties: { redrive_id: uuid, turn: { type: 'integer', minimum: 1 } },
  },
  example: { redrive_id: '01936f0d-41d2-7b1a-a1a4-2f0f6a1c9b55', turn: 1 },
}

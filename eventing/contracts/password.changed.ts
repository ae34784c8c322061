import type { EventContract } from './contract.ts'
import { timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface PasswordChanged {
  user_id: Uuid
  changed_at: Timestamp
}

export const passwordChanged: EventContract<PasswordChanged> = {
  type: 'password.changed',
  version: 1,
  context: 'identity',
  description: 'The password of a user changed.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'changed_at'],
    properties: { user_id: uuid, changed_at: timestamp },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    changed_at: '2026-08-02T16:05:00.000Z',
  },
}

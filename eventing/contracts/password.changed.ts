import type { EventContract } from './contract.ts'
import { timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface PasswordChanged {
  user_id: Uuid
  changed_at: Timestamp
  /** True if a mailed link set the password, and nobody had confirmed the address before. Whoever had the
   * password until then may be somebody else. */
  by_new_owner: boolean
}

export const passwordChanged: EventContract<PasswordChanged> = {
  type: 'password.changed',
  version: 1,
  context: 'identity',
  description: 'The password of a user changed.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'changed_at', 'by_new_owner'],
    properties: { user_id: uuid, changed_at: timestamp, by_new_owner: { type: 'boolean' } },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    changed_at: '2026-08-02T16:05:00.000Z',
    by_new_owner: false,
  },
}

import type { EventContract } from './contract.ts'
import { text, timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

/** Both addresses are in the event, so that both can be told. */
export interface EmailChanged {
  user_id: Uuid
  old_email: string
  new_email: string
  changed_at: Timestamp
}

export const emailChanged: EventContract<EmailChanged> = {
  type: 'email.changed',
  version: 1,
  context: 'identity',
  description:
    'The email address of a user changed. It goes with user.updated, and has the address before as well.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'old_email', 'new_email', 'changed_at'],
    properties: { user_id: uuid, old_email: text, new_email: text, changed_at: timestamp },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    old_email: 'ada@example.com',
    new_email: 'ada.king@example.com',
    changed_at: '2026-08-02T16:05:00.000Z',
  },
}

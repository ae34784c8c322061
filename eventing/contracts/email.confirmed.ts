import type { EventContract } from './contract.ts'
import { text, timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface EmailConfirmed {
  user_id: Uuid
  email: string
  confirmed_at: Timestamp
}

export const emailConfirmed: EventContract<EmailConfirmed> = {
  type: 'email.confirmed',
  version: 1,
  context: 'identity',
  description: 'A user showed, with a link that was mailed there, that their email address is theirs.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'email', 'confirmed_at'],
    properties: { user_id: uuid, email: text, confirmed_at: timestamp },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    email: 'ada@example.com',
    confirmed_at: '2026-08-02T16:05:00.000Z',
  },
}

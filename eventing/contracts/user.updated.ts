import type { EventContract } from './contract.ts'
import { text, timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

/** The user's name and address after the change. */
export interface UserUpdated {
  user_id: Uuid
  name: string
  /** Email address with which the user logs in. */
  email: string
  updated_at: Timestamp
}

export const userUpdated: EventContract<UserUpdated> = {
  type: 'user.updated',
  version: 1,
  context: 'identity',
  description: 'The name or the email address of a user changed. The event holds both as they are now.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'name', 'email', 'updated_at'],
    properties: {
      user_id: uuid,
      name: text,
      email: text,
      updated_at: timestamp,
    },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    name: 'Ada King',
    email: 'ada@example.com',
    updated_at: '2026-08-02T16:05:00.000Z',
  },
}

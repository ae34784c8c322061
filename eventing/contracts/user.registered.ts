import type { EventContract } from './contract.ts'
import { role, text, timestamp, uuid, type Role, type Timestamp, type Uuid } from './fields.ts'

export interface UserRegistered {
  user_id: Uuid
  name: string
  /** Email address with which the user logs in. */
  email: string
  role: Role
  registered_at: Timestamp
}

export const userRegistered: EventContract<UserRegistered> = {
  type: 'user.registered',
  version: 1,
  context: 'identity',
  description:
    'A new user exists: they registered, an operator created them, or they are the first operator.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'name', 'email', 'role', 'registered_at'],
    properties: {
      user_id: uuid,
      name: text,
      email: text,
      role,
      registered_at: timestamp,
    },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    role: 'customer',
    registered_at: '2026-08-01T09:30:00.000Z',
  },
}

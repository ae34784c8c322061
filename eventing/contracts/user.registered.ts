import type { EventContract } from './contract.ts'

export interface UserRegistered {
  user_id: string
  name: string
  email: string
  role: 'customer' | 'operator'
  /** RFC 3339 UTC. */
  registered_at: string
}

export const userRegistered: EventContract<UserRegistered> = {
  type: 'user.registered',
  version: 1,
  context: 'identity',
  description:
    'Somebody became a user of the bank: registered, was entered by an operator, or is the first operator.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'name', 'email', 'role', 'registered_at'],
    properties: {
      user_id: { type: 'string', format: 'uuid' },
      name: { type: 'string' },
      email: { type: 'string' },
      role: { enum: ['customer', 'operator'] },
      registered_at: { type: 'string', format: 'date-time' },
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

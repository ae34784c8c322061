import type { EventContract } from './contract.ts'

export interface UserUpdated {
  user_id: string
  name: string
  email: string
  /** RFC 3339 UTC. */
  updated_at: string
}

export const userUpdated: EventContract<UserUpdated> = {
  type: 'user.updated',
  version: 1,
  context: 'identity',
  description: 'The name or the address of a user changed; both are given as they are now.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'name', 'email', 'updated_at'],
    properties: {
      user_id: { type: 'string', format: 'uuid' },
      name: { type: 'string' },
      email: { type: 'string' },
      updated_at: { type: 'string', format: 'date-time' },
    },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    name: 'Ada King',
    email: 'ada@example.com',
    updated_at: '2026-08-02T16:05:00.000Z',
  },
}

import type { EventContract } from './contract.ts'

export interface UserDeleted {
  user_id: string
  /** RFC 3339 UTC. */
  deleted_at: string
}

export const userDeleted: EventContract<UserDeleted> = {
  type: 'user.deleted',
  version: 1,
  context: 'identity',
  description: 'A user left the bank. All of the user’s sessions have ended; the id stays in the books.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'deleted_at'],
    properties: {
      user_id: { type: 'string', format: 'uuid' },
      deleted_at: { type: 'string', format: 'date-time' },
    },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    deleted_at: '2026-08-03T11:00:00.000Z',
  },
}

import type { EventContract } from './contract.ts'
import { timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface UserDeleted {
  user_id: Uuid
  deleted_at: Timestamp
}

export const userDeleted: EventContract<UserDeleted> = {
  type: 'user.deleted',
  version: 1,
  context: 'identity',
  description: 'A user was deleted. All of their sessions have ended; the ledger keeps their id.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'deleted_at'],
    properties: {
      user_id: uuid,
      deleted_at: timestamp,
    },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    deleted_at: '2026-08-03T11:00:00.000Z',
  },
}

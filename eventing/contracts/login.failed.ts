import type { EventContract } from './contract.ts'
import { text, timestamp, uuidOrNull, type Timestamp, type Uuid } from './fields.ts'

/** Holds neither what was typed as an address nor a hash of it: people type passwords into the wrong field,
 * and an event travels far. */
export interface LoginFailed {
  /** The user with this address; null if no user has it. */
  user_id: Uuid | null
  /** IP address that the attempt came from. */
  client_address: string
  failed_at: Timestamp
}

export const loginFailed: EventContract<LoginFailed> = {
  type: 'login.failed',
  version: 1,
  context: 'identity',
  description: 'Somebody tried to log in with a wrong password, or with an email address that no user has.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'client_address', 'failed_at'],
    properties: {
      user_id: uuidOrNull,
      client_address: text,
      failed_at: timestamp,
    },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    client_address: '192.0.2.7',
    failed_at: '2026-08-01T09:30:30.000Z',
  },
}

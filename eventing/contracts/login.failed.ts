import type { EventContract } from './contract.ts'

/** What was typed as an address is not in it, nor a hash of it: people type passwords into the wrong field,
 * and an event travels far. */
export interface LoginFailed {
  /** Whom the address belongs to, or null where it is nobody's. */
  user_id: string | null
  /** Where the attempt came from: an IP address. */
  client_address: string
  /** RFC 3339 UTC. */
  failed_at: string
}

export const loginFailed: EventContract<LoginFailed> = {
  type: 'login.failed',
  version: 1,
  context: 'identity',
  description: 'Somebody tried to log in with a wrong password, or with the address of no user.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['user_id', 'client_address', 'failed_at'],
    properties: {
      user_id: { type: ['string', 'null'], format: 'uuid' },
      client_address: { type: 'string' },
      failed_at: { type: 'string', format: 'date-time' },
    },
  },
  example: {
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    client_address: '192.0.2.7',
    failed_at: '2026-08-01T09:30:30.000Z',
  },
}

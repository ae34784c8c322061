import type { EventContract } from './contract.ts'
import { text, timestamp, type Timestamp } from './fields.ts'

/** Does not hold what was typed as an address: it may be anything. */
export interface PasswordResetFailed {
  /** IP address that the request came from. */
  client_address: string
  failed_at: Timestamp
}

export const passwordResetFailed: EventContract<PasswordResetFailed> = {
  type: 'password.reset-failed',
  version: 1,
  context: 'identity',
  description: 'Somebody asked for a new password for an email address that no user has.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['client_address', 'failed_at'],
    properties: { client_address: text, failed_at: timestamp },
  },
  example: { client_address: '192.0.2.7', failed_at: '2026-08-02T16:05:00.000Z' },
}

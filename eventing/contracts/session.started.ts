import type { EventContract } from './contract.ts'

export interface SessionStarted {
  session_id: string
  user_id: string
  /** Where the log-in came from: an IP address. */
  client_address: string
  /** RFC 3339 UTC. */
  started_at: string
}

export const sessionStarted: EventContract<SessionStarted> = {
  type: 'session.started',
  version: 1,
  context: 'identity',
  description: 'A user logged in.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['session_id', 'user_id', 'client_address', 'started_at'],
    properties: {
      session_id: { type: 'string', format: 'uuid' },
      user_id: { type: 'string', format: 'uuid' },
      client_address: { type: 'string' },
      started_at: { type: 'string', format: 'date-time' },
    },
  },
  example: {
    session_id: '0198f3a2-7c2d-7e5f-9a71-223344556677',
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    client_address: '192.0.2.7',
    started_at: '2026-08-01T09:31:00.000Z',
  },
}

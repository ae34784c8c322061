import type { EventContract } from './contract.ts'
import { text, timestamp, uuid, type Timestamp, type Uuid } from './fields.ts'

export interface SessionStarted {
  session_id: Uuid
  user_id: Uuid
  /** IP address that the login came from. */
  client_address: string
  started_at: Timestamp
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
      session_id: uuid,
      user_id: uuid,
      client_address: text,
      started_at: timestamp,
    },
  },
  example: {
    session_id: '0198f3a2-7c2d-7e5f-9a71-223344556677',
    user_id: '0198f3a2-5b1c-7d4e-8f60-112233445566',
    client_address: '192.0.2.7',
    started_at: '2026-08-01T09:31:00.000Z',
  },
}

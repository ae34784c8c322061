import { NO_CONTROLS } from './schema.ts'

/** Schemas of what somebody signs in with: identity checks it, and the front door passes it on. They are
 * looser than at registration: an address that nobody can have is wrong like any other. */
export const credentialSchemas = {
  email: { 'x-personal': true, type: 'string', minLength: 1, maxLength: 254, pattern: NO_CONTROLS },
  password: { type: 'string', minLength: 1, maxLength: 1000, 'x-secret': true },
  /** The code of a printed link. */
  code: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$', 'x-secret': true },
} as const

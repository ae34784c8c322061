/** The source of a pattern for a UUID in lower case, as the bank writes it. It captures no group. */
export const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

/** Matches a text that is a UUID as the bank writes it. */
export const OWN_UUID = new RegExp(`^${UUID}$`)

/** Matches a text that is a UUID in upper or lower case, as callers may write it. Not `urn:uuid:...`, which
 * Postgres does not take. */
export const ANY_UUID = new RegExp(`^${UUID}$`, 'i')

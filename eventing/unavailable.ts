/** Thrown if the database or the Broker is away. The host answers 503 with Retry-After: a repeat is
 * worthwhile. */
export class UnavailableError extends Error {}

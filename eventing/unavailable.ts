/** Thrown where the database or the Broker is away: answered 503 with Retry-After, worth a repeat. */
export class UnavailableError extends Error {}

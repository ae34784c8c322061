const UNAVAILABLE = Symbol.for('microbank.unavailable')

/** Thrown if the database or the Broker is away. The host answers 503 with Retry-After: a repeat is
 * worthwhile. */
export class UnavailableError extends Error {
  readonly [UNAVAILABLE] = true

  /** What is loaded later is a bundle of its own, with a class of its own. */
  static override [Symbol.hasInstance](error: unknown): boolean {
    return typeof error === 'object' && error !== null && UNAVAILABLE in error
  }
}

const REFUSED = Symbol.for('microbank.refused-for-now')

/** Thrown if another function answers that it can't do this for now, for a reason that concerns the request:
 * it is not away, and may do what others ask. */
export class RefusedForNowError extends UnavailableError {
  readonly [REFUSED] = true

  static override [Symbol.hasInstance](error: unknown): boolean {
    return typeof error === 'object' && error !== null && REFUSED in error
  }
}

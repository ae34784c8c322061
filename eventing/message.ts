/** A CloudEvent in transit: all attributes and extensions as strings, and the bytes of its data, never
 * changed. */
export interface EventMessage {
  attributes: Record<string, string>
  data: Buffer
}

/** Thrown if something is not a CloudEvent 1.0. The message says what is wrong with it. */
export class InvalidEventError extends Error {}

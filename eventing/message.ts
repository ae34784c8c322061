/** A CloudEvent on its way: all attributes and extensions as strings, and the data's bytes, never changed. */
export interface EventMessage {
  attributes: Record<string, string>
  data: Buffer
}

/** Thrown where something is not a CloudEvent 1.0; the message says what is wrong with it. */
export class InvalidEventError extends Error {}

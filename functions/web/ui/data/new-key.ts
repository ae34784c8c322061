/** Makes an idempotency key of 128 random bits. Pages that came without TLS have no randomUUID(). */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

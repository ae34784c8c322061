/** Makes an idempotency key of 128 random bits. randomUUID() does not exist in pages that came without TLS. */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

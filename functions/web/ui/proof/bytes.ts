/** Bytes as the hashes of docs/proof.md take them. */

export type Bytes = Uint8Array<ArrayBuffer>

/** Thrown for a proof that doesn't hold, with the reason. */
export class ProofError extends Error {}

export function must(holds: unknown, otherwise: string): asserts holds {
  if (!holds) throw new ProofError(otherwise)
}

export function concat(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export const sha256 = async (...parts: readonly Uint8Array[]): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', concat(parts)))

/** Reads so many bytes of hexadecimal, or throws a ProofError. */
export function fromHex(text: string, length: number): Bytes {
  must(/^([0-9a-f]{2})+$/.test(text) && text.length === 2 * length, `not ${length} bytes in hex: ${text}`)
  return Uint8Array.from(text.match(/../g)!, (pair) => parseInt(pair, 16))
}

export const toHex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** Reads base64, or throws a ProofError. */
export function fromBase64(text: string): Bytes {
  must(/^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0, `no base64: ${text}`)
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

export const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))

/** Writes an integer, big-endian, or throws a ProofError if it does not fit. */
export function fromInteger(value: bigint | number, length = 8): Bytes {
  const whole = BigInt(value)
  must(BigInt.asIntN(8 * length, whole) === whole, `no number of ${length} bytes: ${value}`)
  const digits = BigInt.asUintN(8 * length, whole).toString(16)
  return fromHex(digits.padStart(2 * length, '0'), length)
}

export const fromUuid = (text: string): Bytes => fromHex(text.replaceAll('-', ''), 16)

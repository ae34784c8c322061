import { useRef } from 'react'

/** Makes an idempotency key of 128 random bits. Pages that came without TLS have no randomUUID(). */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** Returns what gives a body its key. The same body, sent again after no answer, keeps it, so that it takes
 * effect once; a changed one gets another. */
export function useKeyOf(): (body: unknown) => string {
  const last = useRef({ text: '', key: '' })
  return (body) => {
    const text = JSON.stringify(body)
    if (last.current.text !== text) last.current = { text, key: newKey() }
    return last.current.key
  }
}

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Says whether a request comes from the function that shares a secret with the runtime. A page in a browser
 * is refused even if it knows the secret. */
export const hasSecret = ({ headers }: IncomingMessage, secret: string): boolean =>
  headers.origin === undefined && isEqual(headers.authorization ?? '', `Bearer ${secret}`)

/** Digests have the same length, whatever was sent; timingSafeEqual needs that. */
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

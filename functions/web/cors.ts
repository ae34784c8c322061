import type { IncomingMessage } from 'node:http'

/** Headers of an answer that a page elsewhere may read, besides those that every page may. */
const EXPOSED = [
  'Location',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'Idempotency-Replayed',
  'Preference-Applied',
  'Content-Disposition',
  'Microbank-Seal',
  'WWW-Authenticate',
  'ETag',
  'Server-Timing',
  'traceparent',
].join(', ')

/** Headers of a request that such a page may send. */
const ALLOWED = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-None-Match',
  'Last-Event-ID',
  'Prefer',
  'traceparent',
  'tracestate',
].join(', ')

/** Seconds that a browser may remember the answer; Chromium keeps it no longer. */
const REMEMBERED_SECONDS = 7_200

/** What CORS adds to an answer. */
export interface Cors {
  /** Returns the headers for an answer to a request with this header Origin; undefined if no page elsewhere
   * may call the bank. */
  headers(origin: string | undefined): Record<string, string> | undefined
  /** Returns the headers of the answer if the request asks, for an allowed page, whether it may call with one
   * of these methods (a preflight); otherwise undefined. */
  preflight(request: IncomingMessage, methods: readonly string[]): Record<string, string> | undefined
}

/** Creates the answers to pages of other origins (https://fetch.spec.whatwg.org/#http-cors-protocol). An
 * origin is compared as a whole and as it is. `null` is never allowed: every sandboxed page has it.
 * Credentials are never allowed: tokens come in a header, which pages must set themselves. */
export function createCors(origins: readonly string[]): Cors {
  const allowed = new Map(
    origins.map((origin) => [
      origin,
      { vary: 'Origin', 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED },
    ]),
  )
  const others = allowed.size > 0 ? { vary: 'Origin' } : undefined
  return {
    headers: (origin) => (origin !== undefined && allowed.get(origin)) || others,
    preflight({ method, headers: { origin, ...asked } }, methods) {
      if (method !== 'OPTIONS' || origin === undefined || !allowed.has(origin)) return undefined
      if (asked['access-control-request-method'] === undefined) return undefined
      return {
        'access-control-allow-methods': methods.join(', '),
        'access-control-allow-headers': ALLOWED,
        'access-control-max-age': String(REMEMBERED_SECONDS),
        // Besides `Origin`, which each answer has.
        vary: 'Access-Control-Request-Method, Access-Control-Request-Headers',
      }
    },
  }
}

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

/** Headers that concern one connection, not the request (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Our own server answers it when the body is asked for.
  'expect',
])

/** A sender can name any header in `Connection` to make the next hop drop it. These are never dropped: they
 * frame the message, identify the caller, or are written by the platform. */
const KEPT =
  /^(host|authorization|cookie|forwarded|traceparent|tracestate|idempotency-key|prefer|content-.+|x-forwarded-.+|ce-.+)$/

/** Returns the headers, without those that concern only the connection they came over. */
export function endToEnd(headers: IncomingHttpHeaders, dropped?: string): OutgoingHttpHeaders {
  const named = headers.connection?.toLowerCase().split(/\s*,\s*/) ?? []
  const kept: OutgoingHttpHeaders = {}
  for (const name in headers) {
    if (HOP_BY_HOP.has(name) || name === dropped) continue
    if (named.length > 0 && named.includes(name) && !KEPT.test(name)) continue
    kept[name] = headers[name]
  }
  return kept
}

/** Returns a request's headers for the next hop, without content-length: the sender frames the body anew. */
export const requestHeaders = (headers: IncomingHttpHeaders): OutgoingHttpHeaders =>
  endToEnd(headers, 'content-length')

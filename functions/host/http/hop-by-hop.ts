import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

/** RFC 9110, section 7.6.1: these concern one connection, not the request. */
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
  // Answered by our own server when the body is asked for.
  'expect',
])

/** What frames a message, says who asks, or is written by the platform. A sender can name any header in
 * `Connection` to have the next hop drop it; not these. */
const KEPT =
  /^(host|authorization|cookie|forwarded|traceparent|tracestate|idempotency-key|prefer|content-.+|x-forwarded-.+|ce-.+)$/

/** The headers without those that concern only the connection they came over. */
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

/** The headers of a request for the next hop, without the length of its body: whoever sends that frames it
 * anew. */
export const requestHeaders = (headers: IncomingHttpHeaders): OutgoingHttpHeaders =>
  endToEnd(headers, 'content-length')

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

/** The headers without those that concern only the connection they came over. */
export function endToEnd(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = headers.connection?.toLowerCase().split(/\s*,\s*/) ?? []
  const kept: OutgoingHttpHeaders = {}
  for (const name in headers)
    if (!HOP_BY_HOP.has(name) && !(named.length > 0 && named.includes(name))) kept[name] = headers[name]
  return kept
}
